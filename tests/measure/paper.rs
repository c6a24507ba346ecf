//! Norm. Avg. against every printed one (`notebooks-data/paper/tables.csv`).

use std::collections::BTreeMap;

use fsa::measure::mean;
use serde::Deserialize;

use super::root;

#[derive(Deserialize)]
struct Row {
    table: String,
    base_model: String,
    finetune_task: String,
    method: String,
    shots: String,
    kind: String,
    value: f64,
}

#[test]
fn all_printed_averages_but_one_are_plain_means_of_their_cells() {
    let mut rows: BTreeMap<[String; 5], (Vec<f64>, Option<f64>)> = BTreeMap::new();
    for row in csv::Reader::from_path(root("notebooks-data/paper/tables.csv")).unwrap().deserialize::<Row>() {
        let row = row.unwrap();
        let key = [row.table, row.base_model, row.finetune_task, row.method, row.shots];
        let (cells, printed) = rows.entry(key).or_default();
        match row.kind.as_str() {
            "eval" => cells.push(row.value),
            "summary" => assert_eq!(printed.replace(row.value), None),
            _ => {}
        }
    }
    let printed: Vec<_> = rows.into_iter().filter_map(|(key, (cells, printed))| Some((key, cells, printed?))).collect();
    assert_eq!(printed.len(), 41);
    let mut exceptions = Vec::new();
    for (key, cells, printed) in printed {
        assert_eq!(cells.len(), 8);
        let mean = mean(cells.into_iter().map(Some)).unwrap();
        // Two decimals are printed, of cells that were rounded themselves: a little more than half a unit.
        if (mean - printed).abs() > 0.015 {
            exceptions.push((key, printed, (mean * 100.0).round() / 100.0));
        }
    }
    let slip = ["10", "PaLM-8b", "WMT14 En-Fr", "standard", "1"].map(String::from);
    assert_eq!(exceptions, [(slip, 17.80, 17.93)]);
}
