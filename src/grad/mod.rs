//! What becomes of gradients: sinks that take a parameter's K gradients the moment they exist, and the map
//! parameter → layer and group. Must not know where gradients come from (models) or what is concluded from them (`measure`).

mod collect;
mod dots;
pub mod layout;
mod losses;

pub use collect::Collect;
pub use dots::Dots;
pub use losses::{Losses, Targets};
