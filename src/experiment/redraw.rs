//! `fsa plot`: redraw a run folder's figures from its rows, with no model.
