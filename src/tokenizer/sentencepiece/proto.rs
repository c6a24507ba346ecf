//! `spiece.model` as protobuf: the fields of SentencePiece's `ModelProto` that encoding and decoding need. Numbers, names and
//! defaults are those of its `sentencepiece_model.proto`.

/// The whole file.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Model {
    #[prost(message, repeated, tag = "1")]
    pub pieces: Vec<Piece>,
    #[prost(message, optional, tag = "2")]
    pub trainer: Option<Trainer>,
    #[prost(message, optional, tag = "3")]
    pub normalizer: Option<Normalizer>,
    #[prost(message, optional, tag = "5")]
    pub denormalizer: Option<Normalizer>,
}

/// One piece; its id is its place.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Piece {
    #[prost(string, optional, tag = "1")]
    pub piece: Option<String>,
    #[prost(float, optional, tag = "2")]
    pub score: Option<f32>,
    #[prost(int32, optional, tag = "3", default = "1")]
    pub kind: Option<i32>,
}

/// How the model was trained, as far as encoding depends on it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Trainer {
    #[prost(int32, optional, tag = "3", default = "1")]
    pub model_type: Option<i32>,
    #[prost(bool, optional, tag = "24")]
    pub treat_whitespace_as_suffix: Option<bool>,
    #[prost(bool, optional, tag = "35")]
    pub byte_fallback: Option<bool>,
    #[prost(string, optional, tag = "44", default = " ⁇ ")]
    pub unk_surface: Option<String>,
}

/// What happens to a text before it is cut into pieces.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Normalizer {
    #[prost(bytes = "vec", optional, tag = "2")]
    pub precompiled_charsmap: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "3", default = "true")]
    pub add_dummy_prefix: Option<bool>,
    #[prost(bool, optional, tag = "4", default = "true")]
    pub remove_extra_whitespaces: Option<bool>,
    #[prost(bool, optional, tag = "5", default = "true")]
    pub escape_whitespaces: Option<bool>,
}
