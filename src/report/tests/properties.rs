use proptest::prelude::*;

use super::super::{Format, Style, fixture, render_apply, render_plan};
use super::findings::{commands, junit, rendered, sarif};
use super::html::checked;
use crate::plan::{Kind, Plan};
use crate::text::visible;

/// Texts as AWS could hold them, most of them made to break out of something.
fn any_text() -> impl Strategy<Value = String> {
    let nasty = proptest::sample::select(vec![
        "\u{1b}[31m",
        "\u{202e}",
        "\u{200b}",
        "\n",
        "\r",
        "\t",
        "\0",
        "`",
        "```",
        "````",
        "|",
        "\\",
        "\\|",
        "<",
        ">",
        "</details>",
        "<!--",
        "@octo",
        "#1",
        "[x](y)",
        "**",
        "~~",
        "_",
        "&amp;",
        "$x$",
        "> ",
        "- ",
        "{account}",
        "111122223333",
        " ",
        "a",
        "Ünï",
        "東",
        "\u{a0}",
    ]);
    prop_oneof![
        proptest::collection::vec(nasty, 0..8).prop_map(|parts| parts.concat()),
        any::<String>(),
    ]
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Plan), Just(Kind::Drift)]
}

fn text(plan: &Plan, style: Style) -> String {
    render_plan(plan, Format::Text, style)
}

fn is_visible(report: &str) -> bool {
    report.lines().all(|line| visible(line) == line) && !report.contains('\r')
}

/// The lines that a Markdown renderer does not take for the content of a fence.
fn outside_fences(report: &str) -> Vec<&str> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in report.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = line.get(..ticks),
            None => lines.push(line),
        }
    }
    assert_eq!(fence, None, "a fence is left open");
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_text_steers_the_terminal(name in any_text(), kind in kinds(), width in 0_usize..130, verbose: bool) {
        let plan = fixture::haunted(kind, &name);
        let style = Style { color: false, width, verbose };
        let plain = text(&plan, style);
        prop_assert!(is_visible(&plain), "{plain:?}");

        let colored = text(&plan, Style { color: true, ..style });
        prop_assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    }

    #[test]
    fn no_text_breaks_out_of_markdown(name in any_text(), kind in kinds()) {
        let report = render_plan(&fixture::haunted(kind, &name), Format::Markdown, Style::default());
        prop_assert!(is_visible(&report), "{report:?}");
        let lines = outside_fences(&report);
        let count = |text: &str| lines.iter().filter(|line| **line == text).count();
        prop_assert_eq!(count("<details>"), count("</details>"));
        for line in lines {
            if line.starts_with('|') {
                prop_assert_eq!(line.matches('|').count(), 7, "{}", line);
            }
            // Every tag is one of ours: what was put in holds no `<` outside code.
            let mut tags = line.split('`').step_by(2).flat_map(|part| part.split('<').skip(1));
            let ours = ["code>", "/code>", "details>", "/details>", "summary>", "/summary>", "!-- breakglass "];
            prop_assert!(tags.all(|tag| ours.iter().any(|own| tag.starts_with(own))), "{}", line);
        }
    }

    #[test]
    fn no_text_breaks_out_of_a_page(name in any_text(), kind in kinds()) {
        let page = rendered(&fixture::haunted(kind, &name), Format::Html);
        prop_assert!(is_visible(&page), "{name:?}");
        checked(&page);
    }

    #[test]
    fn the_order_of_changes_makes_no_difference(name in any_text(), kind in kinds()) {
        let plan = fixture::haunted(kind, &name);
        let mut turned = plan.clone();
        turned.changes.reverse();
        turned.ignored.reverse();
        turned.unreadable.reverse();
        for format in [Format::Text, Format::Markdown, Format::Html, Format::Sarif, Format::Junit, Format::Github] {
            let style = Style { color: true, width: 80, verbose: true };
            prop_assert_eq!(render_plan(&plan, format, style), render_plan(&turned, format, style));
        }
    }

    #[test]
    fn json_reads_back_as_the_same_plan(name in any_text(), kind in kinds()) {
        let plan = fixture::haunted(kind, &name);
        let text = render_plan(&plan, Format::Json, Style::default());
        prop_assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }

    #[test]
    fn no_text_breaks_out_of_sarif_junit_or_annotations(name in any_text(), kind in kinds()) {
        let plan = fixture::haunted(kind, &name);
        sarif(&rendered(&plan, Format::Sarif));
        let xml = rendered(&plan, Format::Junit);
        junit(&xml);
        prop_assert!(is_visible(&xml), "{xml:?}");
        let annotations = rendered(&plan, Format::Github);
        prop_assert!(is_visible(&annotations), "{annotations:?}");
        for (command, properties, _) in commands(&annotations) {
            prop_assert!(["error", "warning", "notice"].contains(&command.as_str()));
            let keys: Vec<&str> = properties.iter().map(|(key, _)| key.as_str()).collect();
            prop_assert!(keys == ["title"] || keys == ["file", "line", "title"], "{keys:?}");
        }
    }

    #[test]
    fn no_message_steers_the_report_of_an_apply(name in any_text(), width in 0_usize..130) {
        let mut report = fixture::applied();
        for result in &mut report.results {
            result.address.name.clone_from(&name);
            result.account_name.clone_from(&name);
            result.message = Some(name.clone());
        }
        let style = Style { color: false, width, verbose: true };
        for format in [Format::Text, Format::Markdown] {
            let rendered = render_apply(&report, format, style);
            prop_assert!(is_visible(&rendered), "{rendered:?}");
        }
    }
}
