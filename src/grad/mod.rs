//! What becomes of gradients: sinks that take a parameter's K gradients the moment they exist, and the map parameter → layer and group.
