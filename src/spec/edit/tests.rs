//! Layouts, one by one and at random.

use proptest::prelude::*;

use super::*;

const HEAD: &str = "version: 1\norganization: { id: o-exampleorg1 }\nemergency_account: \"222233334444\"\ncoverage: { required: [] }\n";

fn rule(name: &str) -> Ignore {
    Ignore {
        r#match: format!("*/iam_role/{name}"),
        reason: "it's said: \"so\" # not a comment, {not a map}".to_owned(),
        owner: Some("platform-security".to_owned()),
        expires: "2027-01-31".parse().unwrap(),
    }
}

fn edit(texts: &[String], edit: IgnoreEdit<'_>) -> Result<Vec<String>, EditError> {
    let files = texts.iter().enumerate();
    let files: Vec<(String, String)> = files
        .map(|(number, text)| (format!("{number}.yaml"), text.clone()))
        .collect();
    let none = |_: &str, _: &str| Err("no file is named".to_owned());
    let mut texts = texts.to_vec();
    for (number, text) in edit_ignore(&files, &none, edit)? {
        texts[number] = text;
    }
    Ok(texts)
}

fn add(section: &str, name: &str) -> String {
    let text = format!("{HEAD}{section}");
    let edited = edit(&[text], IgnoreEdit::Add(&rule(name))).unwrap_or_else(|e| panic!("{e:?}"));
    edited[0].strip_prefix(HEAD).unwrap().to_owned()
}

fn remove(section: &str, indices: &[usize]) -> String {
    let text = format!("{HEAD}{section}");
    let indices = indices.iter().copied().collect();
    let edited = edit(&[text], IgnoreEdit::Remove(&indices)).unwrap_or_else(|e| panic!("{e:?}"));
    edited[0].strip_prefix(HEAD).unwrap().to_owned()
}

/// A rule in braces.
fn flow(name: &str) -> String {
    format!("{{ match: \"*/iam_role/{name}\", reason: r, expires: 2027-01-31 }}")
}

/// A rule as it is added in braces.
fn new_flow(name: &str) -> String {
    super::flow::add(
        &Lines::new("ignore: [x]"),
        &Section::of("ignore: [x]").unwrap(),
        &rule(name),
    )
    .unwrap()
    .replace("ignore: [x, ", "")
    .replace("}]", "}")
}

/// A rule as it is added below others.
fn new_block(name: &str, column: usize) -> String {
    block::written(&rule(name), column, "\n")
}

#[test]
fn a_rule_is_added_in_the_layout_that_is_there() {
    let (a, n) = (flow("a"), new_flow("n"));
    let new = |column| new_block("n", column);
    for (before, after) in [
        (String::new(), format!("\nignore:\n{}", new(2))),
        (
            "# the end".to_owned(),
            format!("# the end\n\nignore:\n{}", new(2))
                .trim_end()
                .to_owned(),
        ),
        ("ignore: []\n".to_owned(), format!("ignore:\n{}", new(2))),
        (
            "ignore: [ ] # none\nsafety: {}\n".to_owned(),
            format!("ignore: # none\n{}safety: {{}}\n", new(2)),
        ),
        (format!("ignore: [{a}]\n"), format!("ignore: [{a}, {n}]\n")),
        (
            format!("ignore: [{a}, ] # c\n"),
            format!("ignore: [{a}, {n}, ] # c\n"),
        ),
        (
            format!("ignore: [\n  {a}, # why\n  # end\n]\n"),
            format!("ignore: [\n  {a}, # why\n  {n},\n  # end\n]\n"),
        ),
        (
            format!("ignore: [\n  {a} # why\n]\nsafety: {{}}"),
            format!("ignore: [\n  {a}, # why\n  {n}\n]\nsafety: {{}}"),
        ),
        (
            format!("ignore:\n- {a}\n"),
            format!("ignore:\n- {a}\n{}", new(0)),
        ),
        (
            format!("ignore: # all\n    - {a} # why\n\n# next\nsafety: {{}}\n"),
            format!(
                "ignore: # all\n    - {a} # why\n{}\n# next\nsafety: {{}}\n",
                new(4)
            ),
        ),
        (
            "ignore:\n  -\n    match: \"*/iam_role/a\"\n    reason: |\n      # text\n\n      more\n    expires: 2027-01-31\n    # its own\n  # the next section's\nsafety: {}\n".to_owned(),
            format!(
                "ignore:\n  -\n    match: \"*/iam_role/a\"\n    reason: |\n      # text\n\n      more\n    expires: 2027-01-31\n    # its own\n{}  # the next section's\nsafety: {{}}\n",
                new(2)
            ),
        ),
        (
            format!("ignore:\n  - {a}"),
            format!("ignore:\n  - {a}\n{}", new(2))
                .trim_end()
                .to_owned(),
        ),
    ] {
        assert_eq!(add(&before, "n"), after, "{before}");
    }
}

#[test]
fn a_rule_goes_with_its_comment_and_its_gap() {
    let (a, b, c) = (flow("a"), flow("b"), flow("c"));
    for (before, indices, after) in [
        (
            format!("ignore: [{a}, {b}, {c}]\n"),
            &[1][..],
            format!("ignore: [{a}, {c}]\n"),
        ),
        (
            format!("ignore: [{a}, {b}, {c}]\n"),
            &[0, 2],
            format!("ignore: [{b}]\n"),
        ),
        (
            format!("ignore: [{a}, {b}, {c}]\n"),
            &[1, 2],
            format!("ignore: [{a}]\n"),
        ),
        (
            format!("ignore: [ {a}, {b}, ] # x\n"),
            &[0, 1],
            "ignore: [] # x\n".to_owned(),
        ),
        (
            format!("ignore: [\n  # a\n  {a}, # a\n  # b\n  {b}, # b\n  # c\n  {c}\n]\n"),
            &[1],
            format!("ignore: [\n  # a\n  {a}, # a\n  # c\n  {c}\n]\n"),
        ),
        (
            format!("ignore: [\n  {a},\n  # c\n  {c} # c\n]\n"),
            &[1],
            format!("ignore: [\n  {a},\n]\n"),
        ),
        (
            format!(
                "ignore:\n  # all of them\n\n  # a\n  - {a}\n\n  # b\n  # b\n  - {b}\n\n  - {c} # c\n\nsafety: {{}}\n"
            ),
            &[1],
            format!("ignore:\n  # all of them\n\n  # a\n  - {a}\n\n  - {c} # c\n\nsafety: {{}}\n"),
        ),
        (
            format!(
                "ignore:\n  # all of them\n\n  # a\n  - {a}\n\n  # b\n  - {b}\n\nsafety: {{}}\n"
            ),
            &[1],
            format!("ignore:\n  # all of them\n\n  # a\n  - {a}\n\nsafety: {{}}\n"),
        ),
        (
            format!(
                "ignore: # those\n# a\n- {a}\n# b\n-\n  match: \"*/iam_role/b\"\n  reason: >\n    # text\n  expires: 2027-01-31\n  # b's end\n# c\n- {c}"
            ),
            &[1],
            format!("ignore: # those\n# a\n- {a}\n# c\n- {c}"),
        ),
        (
            format!("ignore: # those\n  # a\n  - {a}\nsafety: {{}}\n"),
            &[0],
            "ignore: [] # those\nsafety: {}\n".to_owned(),
        ),
    ] {
        assert_eq!(remove(&before, indices), after, "{before}");
    }
}

#[test]
fn line_ends_and_the_mark_at_the_beginning_stay() {
    let text = format!("\u{feff}{HEAD}ignore:\n  - {}\n", flow("a")).replace('\n', "\r\n");
    let added = edit(std::slice::from_ref(&text), IgnoreEdit::Add(&rule("n"))).unwrap();
    let new = new_block("n", 2).replace('\n', "\r\n");
    assert_eq!(added[0], format!("{text}{new}"));
    let removed = edit(&added, IgnoreEdit::Remove(&[1].into())).unwrap();
    assert_eq!(removed[0], text);
}

#[test]
fn the_file_that_has_the_section_is_the_one_that_changes() {
    let other = |name: &str| format!("ignore:\n  - {}\n", flow(name));
    let files = [HEAD.to_owned(), other("a"), other("b")];
    let added = edit(&files, IgnoreEdit::Add(&rule("n"))).unwrap();
    assert_eq!(added[..2], files[..2]);
    assert_eq!(added[2], format!("{}{}", files[2], new_block("n", 2)));
    let removed = edit(&added, IgnoreEdit::Remove(&[0, 2].into())).unwrap();
    assert_eq!(removed[1..], ["ignore: []\n".to_owned(), other("b")]);
}

#[test]
fn what_can_not_be_edited_alone_is_left_to_a_person() {
    let one = flow("a");
    for section in [
        format!("ignore:\n  - &one {one}\n  - *one\n"),
        "ignore:\n  - &one\n    match: &m \"*/iam_role/a\"\n    reason: r\n    expires: 2027-01-31\n  - { match: *m, reason: r, expires: 2027-01-31 }\n".to_owned(),
    ] {
        let text = format!("{HEAD}{section}");
        let error = edit(&[text], IgnoreEdit::Remove(&[0].into())).unwrap_err();
        assert!(
            matches!(error, EditError::Layout(file) if file == "0.yaml"),
            "{section}"
        );
    }
    let flow_root = "{ version: 1, organization: { id: o-exampleorg1 }, emergency_account: \"222233334444\", coverage: { required: [] } }\n";
    let error = edit(&[flow_root.to_owned()], IgnoreEdit::Add(&rule("n"))).unwrap_err();
    assert!(matches!(error, EditError::Layout(_)));
    let wrong = Ignore {
        r#match: "nowhere".to_owned(),
        ..rule("n")
    };
    let error = edit(&[HEAD.to_owned()], IgnoreEdit::Add(&wrong)).unwrap_err();
    assert!(matches!(error, EditError::Load(_)), "{error:?}");
}

/// How one rule is written: its text from its dash or brace on, and what stands above and behind it.
#[derive(Debug, Clone)]
struct Piece {
    style: u8,
    above: Vec<&'static str>,
    behind: &'static str,
    gap: bool,
    reason: String,
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let above = prop::collection::vec(
        prop::sample::select(vec!["# why", "# - match: x", "#", "# }, ]"]),
        0..3,
    );
    let behind = prop::sample::select(vec!["", " # note", "   # ], [", " "]);
    let reason = prop::sample::select(vec!["r", "it's, {so}", "a # b", "ü: \"x\"", "- [", "a,b"]);
    let piece = (0..5_u8, above, behind, any::<bool>(), reason);
    let piece = piece.prop_map(|(style, above, behind, gap, reason)| Piece {
        style,
        above,
        behind,
        gap,
        reason: reason.to_owned(),
    });
    prop::collection::vec(piece, 0..5)
}

fn written(pieces: &[Piece], flow: bool, indent: usize, end: &str) -> String {
    if pieces.is_empty() {
        return "ignore: []\n".replace('\n', end);
    }
    let pad = " ".repeat(indent);
    let mut text = if flow {
        "ignore: [ # all\n"
    } else {
        "ignore: # all\n"
    }
    .to_owned();
    for (number, piece) in pieces.iter().enumerate() {
        let Piece {
            style,
            above,
            behind,
            gap,
            reason,
        } = piece;
        if *gap {
            text.push('\n');
        }
        for line in above {
            text.push_str(&format!("{pad}{line}\n"));
        }
        let (name, reason) = (format!("*/iam_role/r{number}"), quoted(reason));
        let single = format!("'{}'", piece.reason.replace('\'', "''"));
        let expires = "expires: 2027-01-31";
        if flow {
            let comma = if number + 1 < pieces.len() || *style > 2 {
                ","
            } else {
                ""
            };
            let inner = match style {
                0 | 3 => format!("match: '{name}', reason: {reason}, {expires}"),
                1 => format!(
                    "match: \"{name}\",\n{pad}    reason: {single}, # x\n{pad}    {expires}\n{pad}  "
                ),
                _ => format!("{expires}, match: '{name}', reason: {single},"),
            };
            text.push_str(&format!("{pad}{{ {inner} }}{comma}{behind}\n"));
        } else {
            let inner = match style {
                0 => format!("- {{ match: '{name}', reason: {reason}, {expires} }}{behind}\n"),
                1 => format!(
                    "- match: \"{name}\"{behind}\n{pad}  reason: {single}\n\n{pad}  # in it\n{pad}  {expires}\n"
                ),
                2 => format!(
                    "-   {expires}\n{pad}    match: '{name}'\n{pad}    reason: |-\n{pad}      # {}\n\n{pad}      more\n",
                    piece.reason
                ),
                3 => format!(
                    "-{behind}\n{pad}  match: '{name}'\n{pad}  {expires}\n{pad}  reason: {reason}\n{pad}  # its own\n"
                ),
                _ => format!(
                    "- match: '{name}'\n{pad}  {expires}\n{pad}  reason: \"a\n\n{pad}    b\"{behind}\n"
                ),
            };
            text.push_str(&format!("{pad}{inner}"));
        }
    }
    if flow {
        text.push_str("]\n");
    }
    text.replace('\n', end)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_layout_can_be_edited_and_nothing_else_changes(
        pieces in pieces(),
        flow in any::<bool>(),
        indent in 0..5_usize,
        windows in any::<bool>(),
        chosen in any::<u8>(),
        tail in prop::sample::select(vec!["", "# end\n", "\n\nsafety: {}\n", "safety: {} # x"]),
    ) {
        let end = if windows { "\r\n" } else { "\n" };
        let indent = if flow { indent.max(1) } else { indent };
        let section = written(&pieces, flow, indent, end);
        let tail = tail.replace('\n', end);
        let head = HEAD.replace('\n', end);
        let text = format!("{head}{section}{tail}");
        let added = edit(std::slice::from_ref(&text), IgnoreEdit::Add(&rule("new"))).map_err(|error| {
            TestCaseError::fail(format!("{error:?}\n{text}"))
        })?;
        // What was there is still there, in order, but for the brackets of an empty list and a comma.
        let kept = |line: &&str| !line.starts_with("ignore: [");
        let mut left = added[0].split(end);
        for line in text.split(end).filter(kept) {
            let bare = |text: &str| text.replacen("},", "}", 1);
            prop_assert!(left.any(|other| bare(other) == bare(line)), "{line:?} of\n{text}\nin\n{}", added[0]);
        }
        let back = edit(&added, IgnoreEdit::Remove(&[pieces.len()].into())).map_err(|error| {
            TestCaseError::fail(format!("{error:?}\n{}", added[0]))
        })?;
        if !flow {
            prop_assert_eq!(&back[0], &text);
        }
        let chosen: BTreeSet<usize> = (0..pieces.len()).filter(|number| chosen & (1 << number) != 0).collect();
        let cut = edit(std::slice::from_ref(&text), IgnoreEdit::Remove(&chosen)).map_err(|error| {
            TestCaseError::fail(format!("{error:?}\n{text}"))
        })?;
        // Nothing is there that was not, but for the brackets of a list that came to be empty and a comma.
        let mut old = text.split(end);
        for line in cut[0].split(end).filter(|line| !line.starts_with("ignore: [")) {
            let bare = |text: &str| text.replacen("},", "}", 1);
            prop_assert!(old.any(|other| bare(other) == bare(line)), "{line:?} of\n{}\nin\n{text}", cut[0]);
        }
        prop_assert!(cut[0].starts_with(&head) && cut[0].ends_with(&tail));
    }
}
