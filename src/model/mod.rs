//! Parameters, layers with explicit backward, and the models composed of them.
