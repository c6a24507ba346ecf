//! One file per subcommand: wires the other rooms together; the only place that sees everything.
