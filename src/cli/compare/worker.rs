//! `fsa compare --worker DIR`: what `--jobs` starts. It does the pieces of the run in the folder that come on its standard input,
//! and says on standard output what happens, a line each.

use std::io::{BufRead, stdin};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use fsa::Result;
use fsa::experiment::compare::{self, Order, Said};
use fsa::experiment::{Existing, fetch, fetch_data};
use fsa::hub::Silent;

use crate::cli::{term, threads};

/// Works until its orders end.
pub fn run(out: &Path) -> Result<()> {
    let spec = compare::spec_in(out)?;
    threads::set(spec.threads)?;
    // Ctrl-C reaches every process of the terminal; the one that gives the orders says what is to be done. Where that cannot be, it
    // ends this one at once, which loses no more than a kill.
    let _ = ctrlc::set_handler(|| {});
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, pieces) = channel();
    let asked = Arc::clone(&stop);
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(std::io::Result::ok) {
            match Order::parse(&line) {
                Some(Order::Piece(number)) => drop(sender.send(number)),
                Some(Order::Stop) => asked.store(true, Ordering::SeqCst),
                None => {}
            }
        }
        // Whoever gave the orders is gone, killed maybe: somebody else may go on in these folders at any moment.
        std::process::exit(term::INTERRUPTED.into());
    });
    // Names on the hub mean here what they mean to whoever gives the orders: what is in the run's description.
    let fetched = fetch::for_run(&fetch::of_compare(&spec), &spec.out, Existing::Resume, &mut Silent);
    let data = |()| fetch_data::for_run(&fetch_data::of_compare(&spec), &spec.out, Existing::Resume, &mut Silent);
    if let Err(error) = fetched.and_then(data) {
        return term::print_json(&Said::Failed { kind: error.kind(), text: error.to_string() });
    }
    compare::work_on(&spec, &pieces, &stop, &mut |said| {
        // Where nobody listens any more, orders have ended too.
        let _ = term::print_json(&said);
    });
    Ok(())
}
