//! Every layer's backward pass against candle's autograd (through operations that have a backward, in f64) and against central
//! differences of its own forward pass. Two lanes, three losses, sequences of different lengths.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{D, DType, Device, Tensor, Var};

use super::attention::{Attention, Heads, Source};
use super::bias::{BiasGradient, RelativeBias, relative_position_bucket};
use super::feed_forward::{Activation, FeedForward};
use super::norm::Norm;
use super::{Linear, Places};
use crate::error::Result;
use crate::model::Param;
use crate::model::array::{read, tensor};
use crate::model::batch::{Batch, Layout, Mix, Packed};
use crate::model::gradient::{Collector, Gradient, Sink};

const H: usize = 12;
const HEADS: usize = 2;
const D_KV: usize = 5;
const FF: usize = 14;
const BUCKETS: usize = 8;
const MAX_DISTANCE: usize = 6;
const PLACES: Places = Places { stack: 0, block: 0, sublayer: 0 };

#[derive(Default)]
struct Kept(BTreeMap<String, Vec<Tensor>>);

impl Sink for Kept {
    fn wants(&self, _: &str) -> bool {
        true
    }

    fn take(&mut self, gradient: &Gradient) -> Result<()> {
        let all = (0..gradient.losses()).map(|k| gradient.dense(k)).collect::<Result<_>>()?;
        self.0.insert(gradient.param().name().to_string(), all);
        Ok(())
    }
}

fn noise(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| (((i * 7919 + seed * 104_729 + i * i * 31) % 2003) as f32 / 1001.5 - 1.0) * 0.8).collect()
}

fn param(name: &str, shape: &[usize], seed: usize) -> Param {
    Param::new(name, tensor(noise(shape.iter().product(), seed), shape).unwrap())
}

fn layouts() -> (Arc<Layout>, Arc<Layout>) {
    let mix =
        Mix::new(2, 3, &[vec![1., 1., 1., 0., 0., 0.], vec![0., 1., 1., 1., 0., 0.], vec![0.2, 0.5, 0., 0.8, 0.5, 1.]]);
    let batch = Batch::new(
        Packed::new([vec![3u32; 9], vec![3; 1], vec![3; 4]]),
        &[0, 1, 2],
        Packed::new([vec![3u32; 3], vec![3; 2], vec![3; 5], vec![3; 2], vec![3; 2], vec![3; 1]]),
        mix,
        0,
        0,
    )
    .unwrap();
    (batch.encoder, batch.decoder)
}

fn f64s(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn var(tensor: &Tensor) -> Var {
    Var::from_tensor(&tensor.to_dtype(DType::F64).unwrap()).unwrap()
}

fn assert_near(what: &str, ours: &[f64], truth: &[f64]) {
    assert_eq!(ours.len(), truth.len(), "{what}: length");
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let delta: Vec<f64> = ours.iter().zip(truth).map(|(a, b)| a - b).collect();
    // f32 against f64: about 20 roundings of 6e-8 each.
    assert!(norm(&delta) <= 2e-6 * norm(truth) + 1e-9, "{what}: off by {:e} of {:e}", norm(&delta), norm(truth));
}

/// ⟨cotangents of lane `lane`, y⟩ by rows with weights: loss `k`, or lane `lane` alone.
fn functional(layout: &Layout, y: &Tensor, dy: &Tensor, weight: impl Fn(usize) -> f64) -> Tensor {
    let mut total = Tensor::zeros((), DType::F64, &Device::Cpu).unwrap();
    for row in 0..layout.rows() {
        let (a, c) = (layout.activation(row), layout.cotangent(row));
        let y = y.narrow(0, a.start, a.len()).unwrap();
        let dy = dy.narrow(0, c.start, c.len()).unwrap().to_dtype(DType::F64).unwrap();
        total = (total + ((y * dy).unwrap().sum_all().unwrap() * weight(row)).unwrap()).unwrap();
    }
    total
}

/// Holds a layer's parameter gradients and input cotangents (one per entry of `inputs`) against the reference `forward`,
/// which maps Vars of inputs and parameters to the output.
fn check(
    what: &str,
    layout: &Layout,
    dy: &Tensor,
    params: &[&Param],
    inputs: &[(&Tensor, &Tensor, &Layout)],
    kept: &Kept,
    reference: impl Fn(&[Tensor], &BTreeMap<String, Tensor>) -> Tensor,
) {
    let input_vars: Vec<Var> = inputs.iter().map(|(x, ..)| var(x)).collect();
    let param_vars: BTreeMap<String, Var> = params.iter().map(|p| (p.name().to_string(), var(p.value()))).collect();
    let as_tensors: Vec<Tensor> = input_vars.iter().map(|v| v.as_tensor().clone()).collect();
    let by_name = param_vars.iter().map(|(name, v)| (name.clone(), v.as_tensor().clone())).collect();
    let y = reference(&as_tensors, &by_name);
    for k in 0..layout.mix.losses() {
        let loss = functional(layout, &y, dy, |row| layout.mix.weight(k, row) as f64);
        let grads = loss.backward().unwrap();
        for param in params {
            let truth = grads.get(&param_vars[param.name()]).expect("candle's gradient");
            assert_near(
                &format!("{what}: {} of loss {k}", param.name()),
                &f64s(&kept.0[param.name()][k]),
                &f64s(truth),
            );
        }
    }
    for lane in 0..layout.lanes {
        let loss = functional(layout, &y, dy, |row| (row / layout.examples == lane) as u8 as f64);
        let grads = loss.backward().unwrap();
        for (i, (_, dx, of)) in inputs.iter().enumerate() {
            let truth = f64s(grads.get(&input_vars[i]).expect("candle's cotangent"));
            let (dx, cols) = (f64s(dx), dx.dim(1).unwrap());
            for example in 0..of.examples {
                let row = lane * of.examples + example;
                let (a, c) = (of.activation(row), of.cotangent(row));
                let ours = &dx[c.start * cols..c.end * cols];
                assert_near(&format!("{what}: input {i}, row {row}"), ours, &truth[a.start * cols..a.end * cols]);
            }
        }
    }
}

/// Central difference of Σ over lanes ⟨dy, forward(x)⟩ along a direction, against ⟨dx, direction⟩.
fn check_difference(
    what: &str,
    layout: &Layout,
    x: &Tensor,
    dx: &Tensor,
    dy: &Tensor,
    forward: impl Fn(&Tensor) -> Tensor,
) {
    let h = 5e-3;
    let direction = tensor(noise(x.elem_count(), 77), x.shape()).unwrap();
    let value = |sign: f64| {
        let moved = (x + (&direction * (sign * h)).unwrap()).unwrap();
        let y = forward(&moved).to_dtype(DType::F64).unwrap();
        functional(layout, &y, dy, |_| 1.0).to_scalar::<f64>().unwrap()
    };
    let difference = (value(1.0) - value(-1.0)) / (2.0 * h);
    let (dx, direction, cols) = (f64s(dx), f64s(&direction), x.dim(1).unwrap());
    let along: f64 = (0..layout.rows())
        .flat_map(|row| layout.activation(row).zip(layout.cotangent(row)))
        .flat_map(|(token, cotangent)| (0..cols).map(move |j| (token * cols + j, cotangent * cols + j)))
        .map(|(a, c)| dx[c] * direction[a])
        .sum();
    let scale: f64 = f64s(dy).iter().map(|v| v.abs()).sum::<f64>();
    // Truncation h², and rounding of f32 sums over 2h.
    assert!((difference - along).abs() <= 1e-3 * along.abs() + 1e-4 * scale, "{what}: {difference} against {along}");
}

fn reference_norm(x: &Tensor, w: &Tensor) -> Tensor {
    let mean = x.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
    let r = (mean + 1e-6).unwrap().sqrt().unwrap();
    x.broadcast_div(&r).unwrap().broadcast_mul(w).unwrap()
}

fn softmax(x: &Tensor) -> Tensor {
    let e = x.exp().unwrap();
    e.broadcast_div(&e.sum_keepdim(D::Minus1).unwrap()).unwrap()
}

/// Attention sequence by sequence and head by head.
fn reference_attention(
    inputs: &[Tensor],
    p: &BTreeMap<String, Tensor>,
    layouts: (&Layout, &Layout),
    causal: bool,
) -> Tensor {
    let x = &inputs[0];
    let n = reference_norm(x, &p["norm"]);
    let from = inputs.get(1).unwrap_or(&n);
    let project = |x: &Tensor, name: &str| x.matmul(&p[name].t().unwrap()).unwrap();
    let (q, k, v) = (project(&n, "q"), project(from, "k"), project(from, "v"));
    let (of_q, of_kv) = layouts;
    let sequences = if of_q.shared { of_q.examples } else { of_q.rows() };
    let mut all = Vec::new();
    for sequence in 0..sequences {
        let (a, b) = (of_q.activation(sequence), of_kv.activation(sequence));
        let heads: Vec<Tensor> = (0..HEADS)
            .map(|head| {
                let cut = |t: &Tensor, range: &std::ops::Range<usize>| {
                    t.narrow(0, range.start, range.len()).unwrap().narrow(1, head * D_KV, D_KV).unwrap()
                };
                let mut scores = cut(&q, &a).matmul(&cut(&k, &b).t().unwrap()).unwrap();
                if let Some(table) = p.get("bias") {
                    let column = table.narrow(1, head, 1).unwrap().flatten_all().unwrap();
                    let buckets: Vec<u32> = (0..a.len())
                        .flat_map(|i| (0..b.len()).map(move |j| j as i64 - i as i64))
                        .map(|relative| relative_position_bucket(relative, !causal, BUCKETS, MAX_DISTANCE) as u32)
                        .collect();
                    let index = Tensor::from_vec(buckets, a.len() * b.len(), &Device::Cpu).unwrap();
                    let bias = column.index_select(&index, 0).unwrap().reshape((a.len(), b.len())).unwrap();
                    scores = (scores + bias).unwrap();
                }
                if causal {
                    let hidden: Vec<f64> =
                        (0..a.len()).flat_map(|i| (0..b.len()).map(move |j| if j > i { -1e9 } else { 0.0 })).collect();
                    scores = (scores + Tensor::from_vec(hidden, (a.len(), b.len()), &Device::Cpu).unwrap()).unwrap();
                }
                softmax(&scores).matmul(&cut(&v, &b)).unwrap()
            })
            .collect();
        all.push(Tensor::cat(&heads, 1).unwrap());
    }
    (x + project(&Tensor::cat(&all, 0).unwrap(), "o")).unwrap()
}

fn attention(causal: bool) -> Attention {
    let linear = |name: &str, shape: [usize; 2], seed| Linear::new(param(name, &shape, seed));
    Attention {
        norm: Norm { weight: param("norm", &[H], 1), eps: 1e-6 },
        q: linear("q", [HEADS * D_KV, H], 2),
        k: linear("k", [HEADS * D_KV, H], 3),
        v: linear("v", [HEADS * D_KV, H], 4),
        o: linear("o", [H, HEADS * D_KV], 5),
        heads: Heads { count: HEADS, d_kv: D_KV, causal },
        places: PLACES,
    }
}

#[test]
fn norm() {
    let (encoder, decoder) = layouts();
    for layout in [encoder, decoder] {
        let layer = Norm { weight: param("norm", &[H], 1), eps: 1e-6 };
        let x = tensor(noise(layout.tokens() * H, 8), (layout.tokens(), H)).unwrap();
        let dy = tensor(noise(layout.cotangents() * H, 9), (layout.cotangents(), H)).unwrap();
        let mut kept = Kept::default();
        let mut grads = Collector::new(&mut kept, 3);
        let dx = layer.backward(&x, &dy, None, &layout, &mut grads).unwrap();
        grads.complete(&layer.weight).unwrap();
        check("norm", &layout, &dy, &[&layer.weight], &[(&x, &dx, &layout)], &kept, |x, p| {
            reference_norm(&x[0], &p["norm"])
        });
        check_difference("norm", &layout, &x, &dx, &dy, |x| layer.forward(x).unwrap());
    }
}

#[test]
fn feed_forward() {
    let (encoder, _) = layouts();
    let activations = [Activation::Relu, Activation::Gelu, Activation::Silu];
    for (activation, gated) in activations.into_iter().flat_map(|it| [(it, false), (it, true)]) {
        let layer = FeedForward {
            norm: Norm { weight: param("norm", &[H], 1), eps: 1e-6 },
            wi: Linear::new(param("wi", &[FF, H], 2)),
            gate: gated.then(|| Linear::new(param("gate", &[FF, H], 3))),
            wo: Linear::new(param("wo", &[H, FF], 4)),
            activation,
            places: PLACES,
        };
        let x = tensor(noise(encoder.tokens() * H, 8), (encoder.tokens(), H)).unwrap();
        let dy = tensor(noise(encoder.cotangents() * H, 9), (encoder.cotangents(), H)).unwrap();
        let (_, saved) = layer.forward(&x, &encoder, None).unwrap();
        let mut kept = Kept::default();
        let mut grads = Collector::new(&mut kept, 3);
        let dx = layer.backward(saved, &dy, &encoder, None, &mut grads).unwrap();
        let mut params = vec![&layer.norm.weight, &layer.wi.weight, &layer.wo.weight];
        params.extend(layer.gate.as_ref().map(|gate| &gate.weight));
        params.iter().for_each(|param| grads.complete(param).unwrap());
        let what = format!("{activation:?}, gated {gated}");
        check(&what, &encoder, &dy, &params, &[(&x, &dx, &encoder)], &kept, |x, p| {
            let n = reference_norm(&x[0], &p["norm"]);
            let a = n.matmul(&p["wi"].t().unwrap()).unwrap();
            let a = match activation {
                Activation::Relu => a.relu().unwrap(),
                Activation::Gelu => a.gelu().unwrap(),
                Activation::Silu => a.silu().unwrap(),
            };
            let h = match p.get("gate") {
                Some(gate) => (a * n.matmul(&gate.t().unwrap()).unwrap()).unwrap(),
                None => a,
            };
            (&x[0] + h.matmul(&p["wo"].t().unwrap()).unwrap()).unwrap()
        });
        check_difference(&what, &encoder, &x, &dx, &dy, |x| layer.forward(x, &encoder, None).unwrap().0);
    }
}

#[test]
fn self_attention_with_relative_bias() {
    let (encoder, decoder) = layouts();
    for (layout, causal) in [(encoder, false), (decoder, true)] {
        let layer = attention(causal);
        let table = RelativeBias {
            table: param("bias", &[BUCKETS, HEADS], 6),
            bidirectional: !causal,
            max_distance: MAX_DISTANCE,
        };
        let bias = table.expand(11).unwrap();
        let x = tensor(noise(layout.tokens() * H, 8), (layout.tokens(), H)).unwrap();
        let dy = tensor(noise(layout.cotangents() * H, 9), (layout.cotangents(), H)).unwrap();
        let (_, saved) = layer.forward(&x, &Source::Itself, Some(&bias), &layout, None).unwrap();
        let mut kept = Kept::default();
        let mut grads = Collector::new(&mut kept, 3);
        let mut sums = BiasGradient::new(3, HEADS, 11);
        let (dx, _) = layer
            .backward(saved, &dy, &Source::Itself, None, Some((&bias, &mut sums)), &layout, None, &mut grads)
            .unwrap();
        table.backward(sums, &mut grads).unwrap();
        let params =
            [&layer.norm.weight, &layer.q.weight, &layer.k.weight, &layer.v.weight, &layer.o.weight, &table.table];
        params.iter().for_each(|param| grads.complete(param).unwrap());
        let what = format!("self-attention, causal {causal}");
        check(&what, &layout, &dy, &params, &[(&x, &dx, &layout)], &kept, |x, p| {
            reference_attention(x, p, (&layout, &layout), causal)
        });
        check_difference(&what, &layout, &x, &dx, &dy, |x| {
            layer.forward(x, &Source::Itself, Some(&bias), &layout, None).unwrap().0
        });
    }
}

#[test]
fn cross_attention() {
    let (encoder, decoder) = layouts();
    let layer = attention(false);
    let x = tensor(noise(decoder.tokens() * H, 8), (decoder.tokens(), H)).unwrap();
    let output = tensor(noise(encoder.tokens() * H, 10), (encoder.tokens(), H)).unwrap();
    let dy = tensor(noise(decoder.cotangents() * H, 9), (decoder.cotangents(), H)).unwrap();
    let source = Source::Encoder(&output, &encoder);
    let (_, saved) = layer.forward(&x, &source, None, &decoder, None).unwrap();
    let mut kept = Kept::default();
    let mut grads = Collector::new(&mut kept, 3);
    let (dx, dencoder) = layer.backward(saved, &dy, &source, None, None, &decoder, None, &mut grads).unwrap();
    let dencoder = dencoder.unwrap();
    let params = [&layer.norm.weight, &layer.q.weight, &layer.k.weight, &layer.v.weight, &layer.o.weight];
    params.iter().for_each(|param| grads.complete(param).unwrap());
    let inputs = [(&x, &dx, &*decoder), (&output, &dencoder, &*encoder)];
    check("cross-attention", &decoder, &dy, &params, &inputs, &kept, |x, p| {
        reference_attention(x, p, (&decoder, &encoder), false)
    });
    check_difference("cross-attention", &decoder, &x, &dx, &dy, |x| {
        layer.forward(x, &source, None, &decoder, None).unwrap().0
    });
}

#[test]
fn a_frozen_parameter_costs_nothing_and_a_forgotten_one_is_an_error() {
    struct OnlyQuery(Vec<String>);
    impl Sink for OnlyQuery {
        fn wants(&self, name: &str) -> bool {
            name == "q"
        }

        fn take(&mut self, gradient: &Gradient) -> Result<()> {
            self.0.push(gradient.param().name().to_string());
            Ok(())
        }
    }
    let (encoder, _) = layouts();
    let layer = attention(false);
    let x = tensor(noise(encoder.tokens() * H, 8), (encoder.tokens(), H)).unwrap();
    let dy = tensor(noise(encoder.cotangents() * H, 9), (encoder.cotangents(), H)).unwrap();
    for complete in [true, false] {
        let (_, saved) = layer.forward(&x, &Source::Itself, None, &encoder, None).unwrap();
        let mut sink = OnlyQuery(Vec::new());
        let mut grads = Collector::new(&mut sink, 3);
        layer.backward(saved, &dy, &Source::Itself, None, None, &encoder, None, &mut grads).unwrap();
        let mut params = crate::model::Params::default();
        for param in [&layer.q.weight, &layer.k.weight] {
            params.insert(param.clone()).unwrap();
            if complete {
                grads.complete(param).unwrap();
            }
        }
        match grads.finish(&params) {
            Ok(()) => assert!(complete && sink.0 == ["q"], "{:?}", sink.0),
            Err(error) => assert!(!complete && error.to_string().starts_with("parameter q: "), "{error}"),
        }
    }
    assert!(read(&x).is_ok());
}
