//! Rows → figures (the only user of plotters); never computes.
