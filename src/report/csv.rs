//! Rows → CSV bytes (the only user of polars). A missing value is an empty field.

use polars::prelude::{Column as Series, CsvWriter, DataFrame, SerWriter};

use super::table::{Column, Table, check_finite};
use crate::error::{Error, Result};

/// The rows as CSV with a header: integers as integers, numbers in the shortest form that reads back to the same number.
pub fn to_csv<R: Table>(rows: &[R]) -> Result<Vec<u8>> {
    check_finite(rows)?;
    let columns = R::COLUMNS.iter().map(|(name, column)| series(rows, name, column)).collect();
    let internal = |source| {
        Error::check(format!("internal error in CSV writing: {source}"))
            .next("please report it with the command that led to it")
            .caused_by(source)
    };
    let mut table = DataFrame::new(rows.len(), columns).map_err(internal)?;
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).finish(&mut table).map_err(internal)?;
    Ok(bytes)
}

fn series<R>(rows: &[R], name: &str, column: &Column<R>) -> Series {
    let name = name.into();
    match column {
        Column::Text(read) => Series::new(name, rows.iter().map(read).collect::<Vec<Option<&str>>>()),
        Column::Integer(read) => Series::new(name, rows.iter().map(read).collect::<Vec<Option<u64>>>()),
        Column::Number(read) => Series::new(name, rows.iter().map(read).collect::<Vec<Option<f64>>>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::label_view::tests::{label_row, target_row};
    use crate::report::rows::{GradientAlignRow, LabelRatioRow, Scope, TargetRow};
    use crate::report::rows_file::tests::row;

    const HEADER: &str = "target,method,stage,seed,step,estimator,scope,name,group,cosine,cosine_lo,cosine_hi,yardstick,\
                          norm_full,norm_format,params,examples,shuffles\n";

    fn text(rows: &[GradientAlignRow]) -> String {
        String::from_utf8(to_csv(rows).unwrap()).unwrap()
    }

    #[test]
    fn golden() {
        let full = GradientAlignRow {
            target: "rte".into(),
            method: "standard".into(),
            stage: 1,
            seed: u64::MAX,
            step: 400,
            estimator: "dataset".into(),
            scope: Scope::Group,
            name: "decoder.7/cross.query".into(),
            group: Some("cross.query".into()),
            cosine: Some(0.1 + 0.2),
            cosine_lo: Some(-0.25),
            cosine_hi: Some(1.0),
            yardstick: Some(0.0),
            norm_full: 1.5e-7,
            norm_format: 12345.678,
            params: 1 << 40,
            examples: 256,
            shuffles: 4,
        };
        let missing = GradientAlignRow {
            target: "a \"b\", c".into(),
            step: 0,
            scope: Scope::Model,
            name: "model".into(),
            group: None,
            cosine: None,
            cosine_lo: None,
            cosine_hi: None,
            yardstick: None,
            norm_full: 0.0,
            ..full.clone()
        };
        let expected = format!(
            "{HEADER}rte,standard,1,18446744073709551615,400,dataset,group,decoder.7/cross.query,cross.query,\
             0.30000000000000004,-0.25,1.0,0.0,1.5e-7,12345.678,1099511627776,256,4\n\
             \"a \"\"b\"\", c\",standard,1,18446744073709551615,0,dataset,model,model,,,,,,0.0,12345.678,1099511627776,256,4\n"
        );
        assert_eq!(text(&[full, missing]), expected);
    }

    #[test]
    fn no_rows_are_a_header() {
        assert_eq!(text(&[]), HEADER);
    }

    #[test]
    fn golden_label_ratio() {
        let open = LabelRatioRow {
            label_ratio: None,
            label_ratio_lo: None,
            label_ratio_hi: None,
            label_ratio_first_word: None,
            label_mass: None,
            score_lo: None,
            score_hi: None,
            out_label: None,
            out_wrong_language: None,
            ..label_row(50, "wmt16_ende")
        };
        let expected = "target,method,seed,step,task,shots,n,label_ratio,label_ratio_lo,label_ratio_hi,\
                        label_ratio_first_word,label_mass,score,score_lo,score_hi,metric,out_label,out_empty,out_runaway,\
                        out_copy,out_wrong_language,out_other\n\
                        rte,standard,0,0,trivia_qa,1,200,0.25,0.2,0.3,0.5,0.125,40.0,35.0,45.0,em-trivia,0.25,0.0,0.0625,\
                        0.0,0.125,0.5625\n\
                        rte,standard,0,50,wmt16_ende,1,200,,,,,,40.0,,,bleu-13a,,0.0,0.0625,0.0,,0.5625\n";
        let bytes = to_csv(&[label_row(0, "trivia_qa"), open]).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn golden_target() {
        let rows = [target_row(0), TargetRow { score_lo: None, score_hi: None, ..target_row(50) }];
        let expected = "target,method,seed,step,n,score,score_lo,score_hi,metric,loss\n\
                        rte,standard,0,0,277,60.0,55.0,65.0,accuracy,0.5\n\
                        rte,standard,0,50,277,60.0,,,accuracy,0.5\n";
        assert_eq!(String::from_utf8(to_csv(&rows).unwrap()).unwrap(), expected);
    }

    #[test]
    fn numbers_read_back_to_the_same_bits() {
        let values = [1e-300, 5e-324, 1.0 / 3.0, 123456789.12345679, 1e21, f64::MAX, -0.0, 1e16];
        for value in values {
            let csv = text(&[GradientAlignRow { norm_full: value, ..row(0, "model") }]);
            let field = csv.lines().nth(1).unwrap().split(',').nth(13).unwrap();
            assert_eq!(field.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{field}");
        }
    }

    #[test]
    fn not_a_number_is_an_error() {
        assert!(to_csv(&[GradientAlignRow { yardstick: Some(f64::NAN), ..row(0, "model") }]).is_err());
    }
}
