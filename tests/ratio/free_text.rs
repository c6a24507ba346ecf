//! A target task whose answers are free text: no labels to fall into, and everything else.

use super::support::*;

const FREE: &str = "\
name = 'mine'
template = 'Say: {question}'
metric = 'em-squad'

[columns]
question = ['question']

[target]
columns = ['answers.0']
references = ['answers']

[splits]
train = 'wq-train.jsonl'
validation = 'wq-test.jsonl'
";

#[test]
fn label_columns_stay_empty_and_a_warning_says_why() {
    let place = place();
    place.write("free.toml", FREE);
    checkpoint(&place, 2, 1, true);
    // The task's own splits, without a flag.
    for (run, out) in [(TRAIN, "out"), (OVER, "over")] {
        let output = place.fsa(&format!("{run} --task free.toml --out {out}"));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(
            stderr(&output),
            "fsa: warning: the targets of task `mine` are free text: label ratio and label mass stay empty\n"
        );
        let rows = table(&place, &format!("{out}/label_ratio.csv"), COLUMNS);
        assert!(rows.iter().any(|row| row["task"] == "mine" && row["metric"] == "em-squad"));
        for row in &rows {
            let labels = "label_ratio,label_ratio_lo,label_ratio_hi,label_ratio_first_word,label_mass,out_label";
            assert_eq!(fields(row, labels), ",,,,,", "{row:?}");
            let shares = CLASSES.iter().filter(|class| !row[**class].is_empty()).map(|class| number(row, class));
            assert!((shares.sum::<f64>() - 1.0).abs() < 1e-12, "{row:?}");
        }
        // There are no label ratios to draw.
        let figures = std::fs::read_dir(place.path(&format!("{out}/figures"))).unwrap();
        let mut figures: Vec<_> = figures.map(|entry| entry.unwrap().file_name()).collect();
        figures.sort();
        assert_eq!(figures, ["figure1.png", "figure1.svg"]);
    }
}
