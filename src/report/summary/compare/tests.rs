//! Tables of made-up comparisons.

use super::*;
use crate::report::CompareRow;
use crate::report::compare_view::tests::compare_row;

fn summary(method: &str, shots: Option<u64>, measure: &str, mean: f64, half: Option<f64>) -> CompareSummaryRow {
    CompareSummaryRow {
        target: "rte".into(),
        method: method.into(),
        shots,
        measure: measure.into(),
        seeds: 2,
        mean,
        lo: half.map(|half| mean - half),
        hi: half.map(|half| mean + half),
    }
}

fn rows() -> Vec<CompareRow> {
    let mut rows = Vec::new();
    for method in ["standard", "promot", "pretrained", "my_own|method"] {
        for seed in [0, 1] {
            rows.push(compare_row(method, seed, "rte", 0, 80.0));
            for task in ["xsum", "trivia_qa", "cb"] {
                rows.push(compare_row(method, seed, task, 1, 20.0));
            }
        }
    }
    rows.push(CompareRow { prompt_attached: 1, ..compare_row("promot", 0, "cb", 1, 60.0) });
    rows
}

fn summaries() -> Vec<CompareSummaryRow> {
    let mut rows = Vec::new();
    for (method, target, task, ratio) in
        [("pretrained", 50.0, 20.0, 0.0), ("standard", 91.004, 2.5, 0.9), ("promot", 91.0, 20.004, 0.25)]
    {
        rows.push(summary(method, None, "target", target, Some(1.5)));
        for measure in ["norm_avg", "mismatched", "matched", "xsum", "trivia_qa", "cb"] {
            rows.push(summary(method, Some(1), measure, task, Some(0.25)));
        }
        rows.push(summary(method, Some(1), "label_ratio", ratio, Some(0.125)));
    }
    rows.push(summary("promot", Some(1), "cb:attached", 60.0, None));
    rows
}

/// The line that begins so, its cells without the spaces around them.
fn cells(text: &str, begins: &str) -> Vec<String> {
    let line = text.lines().find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("{begins} in\n{text}"));
    line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_string()).collect()
}

#[test]
fn the_terminal_has_a_line_a_method() {
    let (rows, summaries) = (rows(), summaries());
    let text = compare(&CompareView::new(&rows, false).unwrap(), &summaries);
    assert_eq!(cells(&text, "| method"), ["method", "RTE", "Norm. Avg.", "matched", "mismatched", "label ratio"]);
    let found = cells(&text, "| ProMoT");
    assert_eq!(found[1..], ["91.0 ± 1.5", "20.0 ± 0.2", "20.0 ± 0.2", "20.0 ± 0.2", "0.25 ± 0.12"]);
    assert_eq!(cells(&text, "| my_own")[1..], ["-"; 5]);
    assert!(text.contains("Fine-tuned on RTE, other tasks 1-shot"), "{text}");
}

#[test]
fn markdown_has_the_papers_table_and_every_seed() {
    let (rows, summaries) = (rows(), summaries());
    let view = CompareView::new(&rows, false).unwrap();
    let each = [0, 1].map(|seed| (seed, vec![summary("standard", None, "target", 90.0 + seed as f64, None)]));
    let text = table_md(&view, &summaries, &each, "fsa:1|model:abc");
    assert_eq!(cells(&text, "|   "), ["", "Pretrained", "Standard", "ProMoT", "my_own\\|method"]);
    // 91.004 and 91.0 print the same, so both are the best; the target is asked with the prompt.
    assert_eq!(cells(&text, "| RTE, 0-shot")[1..], ["50.00 ± 1.50", "**91.00 ± 1.50**", "**91.00 ± 1.50** †", "-"]);
    assert_eq!(
        cells(&text, "| Norm. Avg.")[1..],
        ["**20.00 ± 0.25**", "2.50 ± 0.25 (−17.50)", "**20.00 ± 0.25** (+0.00)", "-"]
    );
    // The lowest label ratio is the best.
    assert!(cells(&text, "| Label ratio")[1].starts_with("**0.00"));
    assert_eq!(cells(&text, "| CB, prompt attached")[1..], ["-", "-", "60.00 †", "-"]);
    let place = |name: &str| text.find(name).unwrap();
    assert!(place("| CB ") < place("| TriviaQA") && place("| TriviaQA") < place("| XSum"));
    for words in [
        "## Fine-tuned on RTE, evaluated 1-shot",
        "t interval over 2 seeds",
        "Norm. Avg. is the plain mean of the 3 tasks",
        "label words overlap those of RTE: CB.",
        "Scores, of 100: accuracy (RTE, CB), exact match (TriviaQA), ROUGE-2 (XSum).",
        "Signature: `fsa:1|model:abc`",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    let line = text.lines().find(|line| line.starts_with("| RTE  ") && line.contains("Standard |    1 |")).unwrap();
    assert!(line.contains("91.00"), "{line}");
}

#[test]
fn latex_is_balanced_and_escaped() {
    let (rows, summaries) = (rows(), summaries());
    let view = CompareView::new(&rows, false).unwrap();
    let text = table_tex(&view, &summaries, "50_% & |\\");
    assert!(text.contains(" & Pretrained & Standard & ProMoT & my\\_own\\textbar\\allowbreak{}method \\\\"), "{text}");
    assert!(text.contains("RTE, 0-shot & 50.00 $\\pm$ 1.50 & \\textbf{91.00} $\\pm$ 1.50"), "{text}");
    assert!(text.contains("50\\_\\% \\& \\textbar\\allowbreak{}\\textbackslash{}"), "{text}");
    assert_eq!(text.matches("\\begin").count(), text.matches("\\end").count());
    assert_eq!(text.matches('{').count(), text.matches('}').count());
    let columns = text.lines().filter(|line| line.ends_with("\\\\"));
    for line in columns {
        assert_eq!(line.replace("\\&", "").matches('&').count(), 4, "{line}");
    }
    assert!(text.is_ascii());
}

#[test]
fn one_seed_has_no_intervals_and_a_target_alone_no_means() {
    let rows = [compare_row("standard", 3, "rte", 0, 80.0)];
    let view = CompareView::new(&rows, false).unwrap();
    let summaries = [summary("standard", None, "target", 80.0, None)];
    let text = table_md(&view, &summaries, &[(3, summaries.to_vec())], "");
    assert_eq!(cells(&text, "| RTE, 0-shot")[1..], ["80.00"]);
    assert!(!text.contains("Seed by seed") && !text.contains('±') && !text.contains("Norm. Avg."), "{text}");
    assert_eq!(cells(&compare(&view, &summaries), "| Standard")[1..], ["80.0"]);
}
