//! No circle of imports, of folders or of files, but those that are named here.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Read, imports};
use super::source::{Source, library, sample};

/// Circles with their reasons: files that name each other, or folders. One that is not here is a violation, and so is an
/// entry that has become straight.
const NAMED_CIRCLES: [(&[&str], &str); 1] = [(
    &["src/buffer/byte_buf.rs", "src/buffer/joined_byte_buf.rs"],
    "a joined buffer has buffers as its parts, and `ByteBuf::join` makes one: the contract's name for it",
)];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The circles among the nodes that `node` makes of the files, each sorted.
pub(super) fn circles(files: &[Source], node: impl Fn(&str) -> String) -> Vec<Vec<String>> {
    let mut graph = Graph::new();
    for import in imports(files, Read::WithoutTests) {
        // A room's `mod.rs` declares and re-exports what is below it; that is no use of it.
        if ["/mod.rs", "/main.rs", "src/lib.rs"].iter().any(|root| import.from.ends_with(root)) {
            continue;
        }
        let (from, to) = (node(&import.from), node(&import.to));
        if from != to {
            graph.entry(from).or_default().insert(to);
        }
    }
    let reachable: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|from| (from, reach(&graph, from))).collect();
    let mut circles: Vec<Vec<String>> = Vec::new();
    for (from, reached) in &reachable {
        if reached.contains(*from) && !circles.iter().any(|circle| circle.contains(from)) {
            let back = |to: &&String| reachable.get(to).is_some_and(|reached| reached.contains(*from));
            circles.push(reached.iter().filter(back).cloned().collect());
        }
    }
    circles
}

fn reach(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(node) = next.pop() {
        for to in graph.get(&node).into_iter().flatten() {
            if reached.insert(to.clone()) {
                next.push(to.clone());
            }
        }
    }
    reached
}

fn folder(path: &str) -> String {
    path.rsplit_once('/').map_or(path, |(folder, _)| folder).to_owned()
}

/// The named ones, of files or of folders.
fn named(files: bool) -> Vec<Vec<String>> {
    let of_kind = NAMED_CIRCLES.iter().filter(|(nodes, _)| nodes.iter().all(|node| node.ends_with(".rs") == files));
    of_kind.map(|(nodes, _)| nodes.iter().map(|node| (*node).to_owned()).collect()).collect()
}

#[test]
fn folders_have_no_circle_but_the_named_ones() {
    assert_eq!(circles(&library(), folder), named(false));
}

#[test]
fn files_have_no_circle_but_the_named_ones() {
    assert_eq!(circles(&library(), str::to_owned), named(true));
}

#[test]
fn a_sample_that_goes_in_a_circle_is_seen() {
    let circle = sample(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a/mod.rs", "mod one; mod two; pub use one::One;"),
        ("src/a/one.rs", "use super::two::Two;"),
        ("src/a/two.rs", "use crate::b::Three;"),
        ("src/b/mod.rs", "mod three; pub use three::Three;"),
        ("src/b/three.rs", "fn f(_: crate::a::One) {}"),
    ]);
    assert_eq!(circles(&circle, folder), [["src/a", "src/b"]]);
    assert_eq!(circles(&circle, str::to_owned), [["src/a/one.rs", "src/a/two.rs", "src/b/three.rs"]]);
    // What only tests name is no circle.
    let straight = sample(&[("src/a.rs", "use crate::b;"), ("src/b.rs", "#[cfg(test)] mod tests { use crate::a; }")]);
    assert_eq!(circles(&straight, str::to_owned), [[""; 0]; 0]);
}
