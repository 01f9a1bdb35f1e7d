//! Texts that mean harm: none may panic, hang, fill the memory or steer the terminal.

use proptest::prelude::*;

use super::*;

#[test]
fn aliases_can_not_blow_the_memory_up() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let told = told(&bomb);
    assert!(told[0].starts_with("error 5:"), "{told:?}");
    assert!(told[0].contains("more than 100000 values"), "{told:?}");
}

#[test]
fn one_long_text_can_not_be_repeated_without_end() {
    let bomb = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 1_000].join(", ")
    );
    assert!(told(&bomb)[0].contains("16 MiB of text"));
}

#[test]
fn an_alias_within_its_own_anchor_is_refused() {
    for text in ["a: &a [*a]", "&a { b: *a }", "a: *nothing"] {
        assert!(told(text)[0].starts_with("error 1:"), "{:?}", told(text));
    }
}

#[test]
fn aliases_are_read_as_what_they_stand_for() {
    let text = format!(
        "{SMALL}users:\n  - name: a\n    custodians: &c {{ password: x, token: y }}\n  - name: b\n    custodians: *c\n"
    );
    assert_eq!(load_text(&text).unwrap().spec.users().len(), 2);
    let deep = format!(
        "a: &a {}{}\nb: {}*a{}",
        "[".repeat(40),
        "]".repeat(40),
        "[".repeat(40),
        "]".repeat(40)
    );
    assert!(told(&deep)[0].contains("nested more than 64 deep"));
}

#[test]
fn deep_nesting_is_refused_before_it_costs() {
    for (open, close) in [
        ("[", "]"),
        ("{a: ", "}"),
        ("- ", ""),
        ("? ", ""),
        ("[{a: ", "}]"),
    ] {
        for depth in [60, 70, 250, 300, 100_000] {
            let text = open.repeat(depth) + &close.repeat(depth);
            let told = told(&text);
            assert!(told[0].starts_with("error "), "{open} {depth}: {told:?}");
        }
    }
}

#[test]
fn nothing_from_a_file_reaches_the_terminal_as_it_is() {
    let text = format!(
        "{SMALL}\"\u{1b}[31mred\u{7}\u{202e}\": \"{}\"\n",
        "\u{9b}x".repeat(300)
    );
    let error = load_text(&text).unwrap_err();
    for color in [false, true] {
        let shown = error.render(color);
        assert!(
            !shown.contains("\u{1b}[31mred") && !shown.contains(['\u{7}', '\u{9b}', '\u{202e}']),
            "{shown:?}"
        );
    }
    assert!(!error.render(false).contains('\u{1b}'));
}

#[test]
fn long_lines_are_cut_around_what_is_meant() {
    let text = format!(
        "{SMALL}# {0}\nusers: [{{ name: a, tags: {{ k: \"{0}\" }}, nam: {0} }}]\n",
        "x".repeat(5_000)
    );
    let error = load_text(&text).unwrap_err();
    let shown = error.render(false);
    assert!(shown.contains("…") && shown.contains("nam:"), "{shown}");
    assert!(
        shown.lines().all(|line| line.chars().count() < 260),
        "{shown}"
    );
}

#[test]
fn many_mistakes_end() {
    let text = format!("{SMALL}users: [{}]", vec!["{ nam: a }"; 10_000].join(", "));
    assert_eq!(told(&text).len(), 50);
}

fn survives(text: &str) {
    let (problems, sources) = match load_text(text) {
        Ok(loaded) => (loaded.warnings, loaded.sources),
        Err(error) => {
            assert!(!error.problems.is_empty());
            (error.problems, error.sources)
        }
    };
    for problem in problems {
        let shown = problem.render(&sources, false);
        assert!(
            shown.chars().all(|c| c == '\n' || !c.is_control()),
            "{shown:?}"
        );
        assert!(!problem.render(&sources, true).is_empty());
        assert!(!problem.finding(&sources).message.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_survived(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn text_made_of_yaml_is_survived(parts in proptest::collection::vec(
        prop_oneof![
            Just("version"), Just("users"), Just("roles"), Just("name"), Just(": "), Just("- "), Just("\n"), Just("  "),
            Just("\r\n"), Just("["), Just("]"), Just("{"), Just("}"), Just(", "), Just("&a "), Just("*a"), Just("!!str "),
            Just("!t "), Just("\""), Just("'"), Just("|"), Just(">-"), Just("? "), Just("# "), Just("---"), Just("..."),
            Just("<<"), Just("1"), Just("é"), Just("\t"), Just("%YAML 1.2\n"), Just("\u{feff}"), Just("\u{85}"), Just("@"),
        ], 0..40,
    )) {
        survives(&parts.concat());
    }

    #[test]
    fn a_damaged_example_is_survived(cut in 0..EXAMPLE.len(), length in 0..40_usize, put in ".{0,3}") {
        let mut text = EXAMPLE.to_owned();
        let start = (0..=cut).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let end = (start + length..).find(|at| *at >= text.len() || text.is_char_boundary(*at)).unwrap_or(start);
        text.replace_range(start..end.min(text.len()), &put);
        survives(&text);
    }
}
