//! Figures of made-up runs, from ordinary to degenerate: they draw, they render, and no text is cut off or covered.

use resvg::usvg::{Group, Node};

use super::*;
use crate::report::Scope;
use crate::report::files::{self, COMPARE_FILES, GRADIENT_ALIGN_FILES, LABEL_RATIO_FILES, METHODS_FILES};
use crate::report::view::WITHOUT_EMBEDDINGS;

mod compare;
mod label_ratio;

/// A run of a model with so many layers per stack, probed at these steps; cosines fall from 0.9 to 0.3.
fn run(layers: usize, steps: &[u64]) -> Vec<GradientAlignRow> {
    let mut rows = Vec::new();
    for (index, &step) in steps.iter().enumerate() {
        let time = index as f64 / steps.len() as f64;
        let mut push = |scope, name: String, group: Option<&str>, offset: f64| {
            let cosine = 0.9 - 0.6 * time - offset;
            rows.push(GradientAlignRow {
                target: "rte".into(),
                method: "standard".into(),
                stage: 1,
                seed: 0,
                step,
                estimator: "dataset".into(),
                scope,
                name,
                group: group.map(String::from),
                cosine: Some(cosine),
                cosine_lo: Some(cosine - 0.06),
                cosine_hi: Some((cosine + 0.05).min(1.0)),
                yardstick: Some(0.93 - 0.1 * time - offset / 2.0),
                norm_full: 2.0 * (-2.0 * time).exp() + 0.2,
                norm_format: 1.8 * (-4.0 * time).exp() + 0.02,
                params: 1 << 20,
                examples: 256,
                shuffles: 4,
            });
        };
        push(Scope::Model, "model".into(), None, 0.0);
        push(Scope::Model, WITHOUT_EMBEDDINGS.into(), None, 0.1);
        push(Scope::Layer, "embedding".into(), None, 0.1);
        for stack in ["encoder", "decoder"] {
            for layer in 0..layers {
                push(Scope::Layer, format!("{stack}.{layer}"), None, 0.3 * layer as f64 / layers as f64);
            }
            push(Scope::Layer, format!("{stack}.final"), None, 0.2);
        }
        push(Scope::Layer, "head".into(), None, 0.02);
        let groups = ["mlp", "self.query", "self.key", "self.value", "cross.query", "cross.key", "cross.value"];
        for (place, group) in groups.into_iter().enumerate() {
            push(Scope::Group, format!("decoder.{}/{group}", layers - 1), Some(group), 0.05 * place as f64);
        }
    }
    rows
}

fn texts(svg: &str) -> Vec<(String, [f32; 4])> {
    fn collect(group: &Group, found: &mut Vec<(String, [f32; 4])>) {
        for node in group.children() {
            match node {
                Node::Group(group) => collect(group, found),
                Node::Text(text) => {
                    let words: Vec<&str> = text.chunks().iter().map(|chunk| chunk.text()).collect();
                    let mut glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
                    assert!(glyphs.all(|glyph| glyph.id.0 != 0), "{words:?}: the font lacks a character of it");
                    let bounds = text.abs_bounding_box();
                    found.push((words.concat(), [bounds.left(), bounds.top(), bounds.right(), bounds.bottom()]));
                }
                _ => (),
            }
        }
    }
    let tree = png::parse(svg).unwrap();
    let mut found = Vec::new();
    collect(tree.root(), &mut found);
    found
}

/// Every text lies inside the figure, and no two lie on each other.
fn assert_legible(figure: &Figure) {
    let size = png::parse(&figure.svg).unwrap().size();
    let texts = texts(&figure.svg);
    for (index, (text, [left, top, right, bottom])) in texts.iter().enumerate() {
        let inside = *left >= 0.0 && *top >= 0.0 && *right <= size.width() && *bottom <= size.height();
        assert!(inside, "{}: {text:?} is cut off", figure.name);
        for (other, [other_left, other_top, other_right, other_bottom]) in &texts[..index] {
            // Bounds hold the font's ascent and descent; letters of lines 2 pixels into each other do not touch.
            let apart =
                right <= other_left || other_right <= left || bottom - 2.0 <= *other_top || other_bottom - 2.0 <= *top;
            assert!(apart, "{}: {text:?} lies on {other:?}", figure.name);
        }
    }
}

fn assert_draws(rows: &[GradientAlignRow]) -> Vec<Figure> {
    let figures = gradient_align(rows).unwrap();
    assert_sound(&figures);
    figures
}

fn assert_sound(figures: &[Figure]) {
    for figure in figures {
        assert_legible(figure);
        assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf"), "{}", figure.name);
        let png = figure.png().unwrap();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        // The header's width: two pixels for each of the SVG's 900.
        assert_eq!(png[16..20], 1800u32.to_be_bytes());
    }
}

fn figure<'a>(figures: &'a [Figure], name: &str) -> &'a Figure {
    figures.iter().find(|figure| figure.name == name).unwrap()
}

fn assert_says(figure: &Figure, words: &[&str]) {
    let texts = texts(&figure.svg);
    for word in words {
        assert!(texts.iter().any(|(text, _)| text.contains(word)), "{}: {word}", figure.name);
    }
}

#[test]
fn figures_say_what_they_show() {
    let figures = assert_draws(&run(8, &[0, 50, 100, 150, 200, 250, 300, 350, 400]));
    let names: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["figure3", "figure7", "heatmap", "norms"]);
    let parts =
        ["MLP", "query", "key", "value", "Self-attention", "Cross-attention", "decoder.7", "cosine(g, g_format)"];
    assert_says(&figures[0], &parts);
    assert_says(&figures[0], &["training step 0", "training step 400", "95 % interval", "yardstick", "−0.2", "1.0"]);
    assert_says(&figures[1], &parts);
    assert_says(&figures[1], &["training step", "0", "400"]);
    assert_says(&figures[2], &["embedding", "encoder.0", "encoder.final", "decoder.7", "head", "training step"]);
    assert_says(&figures[3], &["gradient norm per example", "full gradient g", "format gradient g_format"]);
    for figure in &figures {
        assert_says(figure, &["rte, standard, seed 0, estimator dataset"]);
        assert!(figure.caption.contains("seed 0") && figure.svg.contains("<title>"));
        assert!(figure.svg.contains("font-family=\"DejaVu Sans, sans-serif\""));
    }
}

/// `--force` must know every file that a run can leave.
#[test]
fn the_run_folder_knows_every_figure() {
    let dir = tempfile::tempdir().unwrap();
    let folder = crate::report::RunFolder::create(dir.path(), false).unwrap();
    let (rows, targets) = label_ratio::run(3, &[0, 1]);
    for (figures, files) in [
        (gradient_align(&run(2, &[0, 1])).unwrap(), GRADIENT_ALIGN_FILES),
        (vec![gradient_align_methods(&methods(&["standard", "promot"])).unwrap()], METHODS_FILES),
        (super::label_ratio(&rows, &targets, None).unwrap(), LABEL_RATIO_FILES),
        (compare::figures(&compare::run(&["rte"], &["pretrained", "standard"], 1), false), COMPARE_FILES),
    ] {
        let names: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
        assert_eq!(names, files.figures);
        for name in names.iter().flat_map(|name| files::figure(name)) {
            folder.write_atomic(&name, b"").unwrap();
        }
    }
    folder.clear().unwrap();
    assert!(!dir.path().join("figures").exists());
}

/// Rows of every method, each with other cosines, and the second one trained for longer.
fn methods(names: &[&str]) -> Vec<Vec<GradientAlignRow>> {
    let of = |(index, name): (usize, &&str)| {
        let steps: &[u64] = if index == 1 { &[0, 100, 200, 300] } else { &[0, 50, 100] };
        let mut rows = run(2, steps);
        for row in &mut rows {
            row.method = name.to_string();
            row.norm_format *= 0.5f64.powi(index as i32);
        }
        rows
    };
    names.iter().enumerate().map(of).collect()
}

#[test]
fn methods_stand_beside_each_other() {
    let names = ["standard", "promot", "promot+1shot"];
    let figure = gradient_align_methods(&methods(&names)).unwrap();
    assert_eq!([figure.name], METHODS_FILES.figures);
    assert_says(&figure, &["Standard", "ProMoT", "ProMoT + 1-shot", "95 % interval", "cosine(g, g_format)"]);
    assert_says(
        &figure,
        &["norm of g_format", "norm of g", "gradient norm per example", "training step of the last stage"],
    );
    assert_says(&figure, &["rte, seed 0, estimator dataset", "decoder.1"]);
    assert_sound(&[figure]);
    let all: Vec<String> = crate::spec::align_methods::all().collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_sound(&[gradient_align_methods(&methods(&all)).unwrap()]);
    let mut bare = methods(&["joint"]);
    for row in bare.iter_mut().flatten() {
        (row.cosine, row.cosine_lo, row.cosine_hi, row.norm_full, row.norm_format) = (None, None, None, 0.0, 0.0);
    }
    let figure = gradient_align_methods(&bare).unwrap();
    assert_says(&figure, &["no values"]);
    assert_sound(&[figure]);
}

#[test]
fn what_grows_has_a_panel() {
    let row = |factor: &str, work: &str, value: u64, seconds: f64| GrowthRow {
        model: "t5-v1_1-small".into(),
        work: work.into(),
        factor: factor.into(),
        value,
        repeats: 2,
        threads: 2,
        median_s: seconds,
        min_s: seconds,
        max_s: seconds,
        peak_rss_mib: None,
        gflops: None,
    };
    let mut rows = Vec::new();
    for (number, factor) in ["batch-size", "source-len", "shuffles", "depth", "width"].into_iter().enumerate() {
        for step in 0..4 {
            let (value, seconds) = (8u64 << (2 * number + step), 0.02 * f64::from(1 << step));
            rows.push(row(factor, "alignment", value, seconds));
            if factor != "shuffles" {
                rows.push(row(factor, "training", value, seconds / 2.0));
            }
        }
    }
    let signature = "fsa:0.1.0|model:t5-v1_1-small|batch:16|source:128|target:4|shuffles:1|repeats:2|threads:2";
    let figure = growth(&rows, signature).unwrap();
    assert_says(
        &figure,
        &["seconds", "batch size", "source tokens", "shuffles", "blocks", "width", "alignment", "training"],
    );
    assert_says(&figure, &["8", "16384", signature]);
    let one = growth(&rows[..1], signature).unwrap();
    assert_sound(&[figure, one]);
}

#[test]
fn no_rows_say_what_to_do() {
    let error = gradient_align(&[]).unwrap_err().to_string();
    assert!(error.contains("no rows") && error.contains("--resume"), "{error}");
}

#[test]
fn one_probe() {
    let figures = assert_draws(&run(4, &[0]));
    assert_says(figure(&figures, "figure3"), &["training step 0"]);
    assert_draws(&run(4, &[1_000_000_000]));
}

#[test]
fn nothing_could_be_measured() {
    let mut rows = run(4, &[0, 50, 100]);
    for row in &mut rows {
        (row.cosine, row.cosine_lo, row.cosine_hi, row.yardstick) = (None, None, None, None);
        (row.norm_full, row.norm_format) = (0.0, f64::NAN);
    }
    let figures = assert_draws(&rows);
    assert_says(figure(&figures, "figure3"), &["no value"]);
    assert_says(figure(&figures, "figure7"), &["no values"]);
    assert_says(figure(&figures, "heatmap"), &["no value"]);
    assert_says(figure(&figures, "norms"), &["no values"]);
}

#[test]
fn a_missing_value_is_a_gap() {
    let mut rows = run(2, &[0, 10, 20, 30, 40]);
    let lines =
        |rows: &[GradientAlignRow]| figure(&gradient_align(rows).unwrap(), "figure7").svg.matches("<polyline").count();
    let whole = lines(&rows);
    for row in rows.iter_mut().filter(|row| row.step == 20 && row.group.as_deref() == Some("self.query")) {
        row.cosine = None;
    }
    assert_draws(&rows);
    // The line of the query is whole without dashes: a gap makes two lines of it.
    assert_eq!(lines(&rows), whole + 1);
    rows.retain(|row| row.step != 20 || row.group.is_none());
    assert_draws(&rows);
}

#[test]
fn cosines_below_zero() {
    let mut rows = run(3, &[0, 50]);
    for row in &mut rows {
        (row.cosine, row.cosine_lo, row.cosine_hi) = (row.cosine.map(|value| -value), Some(-1.0), Some(0.1));
    }
    assert_says(figure(&assert_draws(&rows), "figure3"), &["−1.0"]);
}

#[test]
fn only_one_layer_and_only_the_model() {
    let mut rows = run(1, &[0, 50]);
    rows.retain(|row| row.name.starts_with("decoder.0"));
    assert_eq!(assert_draws(&rows).len(), 4);
    let mut rows = run(1, &[0, 50]);
    rows.retain(|row| row.scope == Scope::Model);
    let names: Vec<&str> = assert_draws(&rows).iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["norms"]);
}

#[test]
fn many_layers_and_probes() {
    assert_draws(&run(24, &(0..=60).map(|index| index * 1000).collect::<Vec<_>>()));
    assert_draws(&run(300, &[0, 150, 300, 400]));
    assert_draws(&run(1, &(0..=1500).collect::<Vec<_>>()));
}

#[test]
fn odd_names() {
    let mut rows = run(2, &[0, 50]);
    for row in &mut rows {
        row.target = format!("<a> & \"b\" \u{1}\n{}", "long ".repeat(60));
    }
    let figures = assert_draws(&rows);
    assert_says(&figures[0], &["…"]);
}
