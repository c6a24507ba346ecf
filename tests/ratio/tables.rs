//! What a run that fine-tunes leaves: tables, figures, and the same bytes each time.

use serde_json::Value;

use super::support::*;

#[test]
fn tables_and_figures_are_whole_for_one_beam_and_two() {
    let place = place();
    for beams in [1, 2] {
        let out = format!("beams-{beams}");
        let printed = place.done(&format!("{TRAIN} --beams {beams} --out {out} --json"));
        let printed: Value = serde_json::from_str(&printed).unwrap();
        let rows = table(&place, &format!("{out}/label_ratio.csv"), COLUMNS);
        let heads: Vec<String> =
            rows.iter().map(|row| fields(row, "target,method,seed,step,task,shots,n,metric")).collect();
        let want = [0, 3, 6].iter().flat_map(|step| {
            [("rte,0,7,accuracy"), ("web_questions,2,7,em-squad"), ("wmt16_ende,0,7,bleu-13a")]
                .map(|evaluation| format!("rte,standard,0,{step},{evaluation}"))
        });
        assert_eq!(heads, want.collect::<Vec<_>>());
        for row in &rows {
            let ratio = number(row, "label_ratio");
            assert!(number(row, "label_ratio_lo") <= ratio && ratio <= number(row, "label_ratio_hi"), "{row:?}");
            assert!((0.0..=1.0).contains(&number(row, "label_mass")), "{row:?}");
            assert!(ratio <= number(row, "label_ratio_first_word"), "{row:?}");
            assert_eq!(row["out_wrong_language"].is_empty(), row["task"] != "wmt16_ende", "{row:?}");
            let shares = CLASSES.iter().filter(|class| !row[**class].is_empty()).map(|class| number(row, class));
            assert!((shares.sum::<f64>() - 1.0).abs() < 1e-12, "{row:?}");
        }
        let targets = table(&place, &format!("{out}/target.csv"), TARGET_COLUMNS);
        assert_eq!(targets.iter().map(|row| number(row, "step")).collect::<Vec<_>>(), [0.0, 3.0, 6.0]);
        for (target, row) in targets.iter().zip(rows.iter().filter(|row| row["task"] == "rte")) {
            let same = "target,method,seed,step,n,score,score_lo,score_hi,metric";
            assert_eq!(fields(target, same), fields(row, same));
            assert!(number(target, "loss") > 0.0);
        }
        assert!(number(&targets[2], "loss") < number(&targets[0], "loss"), "it learnt nothing: {targets:?}");
        for figure in ["figure1", "figure2"] {
            assert!(place.text(&format!("{out}/figures/{figure}.svg")).contains("<svg"));
            assert!(place.read(&format!("{out}/figures/{figure}.png")).starts_with(b"\x89PNG"));
        }
        assert_eq!((&printed["rows"], &printed["skipped"]), (&Value::from(9), &Value::from(0)));
        let named: Vec<&str> = printed["files"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let written = files(&place.path(&out)).into_iter().filter(|(_, bytes)| bytes.is_some()).map(|(name, _)| name);
        for name in written.filter(|name| !name.starts_with("outputs")) {
            assert!(named.contains(&format!("{out}/{}", name.display()).as_str()), "{} is not named", name.display());
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let place = place();
    place.done(&format!("{TRAIN} --out one"));
    place.done(&format!("{TRAIN} --out other"));
    assert_same(&place, "one", "other");
    place.done(&format!("{TRAIN} --seed 1 --out another"));
    assert_ne!(place.text("one/target.csv").replace(",0,", ""), place.text("another/target.csv").replace(",1,", ""));
    // A finished run has nothing to do.
    let before = files(&place.path("one"));
    let output = place.fsa(&format!("{TRAIN} --out one --resume"));
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "fsa: warning: the run in the folder is done already; its results follow\n");
    assert!(before == files(&place.path("one")));
}

#[test]
fn with_the_intl_tokenizer_13a_stands_beside_it() {
    let place = place();
    place.done(&format!("{TRAIN} --out plain"));
    place.done(&format!("{TRAIN} --bleu-tokenizer intl --out intl"));
    let of = |out: &str, metric: &str| {
        let rows = table(&place, &format!("{out}/label_ratio.csv"), COLUMNS);
        let rows = rows.into_iter().filter(|row| row["task"] == "wmt16_ende" && row["metric"] == metric);
        rows.collect::<Vec<_>>()
    };
    assert_eq!((of("plain", "bleu-13a").len(), of("plain", "bleu-intl").len()), (3, 0));
    assert_eq!(of("intl", "bleu-13a"), of("plain", "bleu-13a"));
    for (intl, thirteen) in of("intl", "bleu-intl").iter().zip(of("intl", "bleu-13a")) {
        let same =
            "step,n,label_ratio,label_mass,out_label,out_empty,out_runaway,out_copy,out_wrong_language,out_other";
        assert_eq!(fields(intl, same), fields(&thirteen, same));
    }
    assert_eq!(of("intl", "bleu-intl").len(), 3);
}

#[test]
fn plot_draws_the_same_figures_again() {
    let place = place();
    place.done(&format!("{TRAIN} --onset 0.25 --out out"));
    let before = results(&place, "out");
    for figure in ["figure1.svg", "figure1.png", "figure2.svg", "figure2.png"] {
        std::fs::remove_file(place.path(&format!("out/figures/{figure}"))).unwrap();
    }
    place.done("plot out");
    assert!(before == results(&place, "out"));
}
