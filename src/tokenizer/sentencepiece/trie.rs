//! Which texts of a list begin a text. It must not know what the texts are.

use std::collections::VecDeque;
use std::ops::Range;

/// A trie over bytes. The children of a node lie one after the other, so that a step looks at a few bytes in a row.
#[derive(Debug, Default)]
pub(super) struct Trie {
    /// The byte that leads to each node; the root's means nothing.
    bytes: Vec<u8>,
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    children: Range<u32>,
    id: Option<u32>,
}

impl Trie {
    /// Of texts with their ids, each text once.
    pub fn of<'a>(texts: impl IntoIterator<Item = (&'a str, u32)>) -> Self {
        let mut texts: Vec<(&[u8], u32)> = texts.into_iter().map(|(text, id)| (text.as_bytes(), id)).collect();
        texts.sort_unstable();
        let mut trie = Self { bytes: vec![0], nodes: vec![Node::default()] };
        // The texts below each node that has no children yet, and how long what they have in common is.
        let mut open = VecDeque::from([(&texts[..], 0)]);
        for number in 0.. {
            let Some((mut texts, depth)) = open.pop_front() else { break };
            if let Some(((text, id), longer)) = texts.split_first()
                && text.len() == depth
            {
                trie.nodes[number].id = Some(*id);
                texts = longer;
            }
            let first = trie.nodes.len() as u32;
            while let Some((text, _)) = texts.first() {
                let byte = text[depth];
                let (below, others) = texts.split_at(texts.partition_point(|(text, _)| text[depth] == byte));
                trie.bytes.push(byte);
                trie.nodes.push(Node::default());
                open.push_back((below, depth + 1));
                texts = others;
            }
            trie.nodes[number].children = first..trie.nodes.len() as u32;
        }
        trie
    }

    /// The texts that `text` begins with, shortest first: their lengths and ids.
    pub fn prefixes(&self, text: &str) -> impl Iterator<Item = (usize, u32)> {
        let mut node = self.nodes.first();
        text.bytes()
            .enumerate()
            .map_while(move |(place, byte)| {
                let Range { start, end } = node?.children.clone();
                let (start, end) = (start as usize, end as usize);
                let child = self.bytes[start..end].iter().position(|label| *label == byte)?;
                node = self.nodes.get(start + child);
                Some((place + 1, node?.id))
            })
            .filter_map(|(length, id)| Some((length, id?)))
    }

    /// The length of the longest text that `text` begins with.
    pub fn longest(&self, text: &str) -> Option<usize> {
        self.prefixes(text).last().map(|(length, _)| length)
    }

    /// The id of `text`.
    pub fn id(&self, text: &str) -> Option<u32> {
        self.prefixes(text).last().filter(|(length, _)| *length == text.len()).map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_shortest_first() {
        let trie = Trie::of([("ab", 0), ("a", 1), ("▁a", 2), ("abcd", 3), ("b", 4)]);
        assert_eq!(trie.prefixes("abcx").collect::<Vec<_>>(), [(1, 1), (2, 0)]);
        assert_eq!((trie.longest("abcde"), trie.longest("▁"), trie.longest("")), (Some(4), None, None));
        assert_eq!((trie.id("▁a"), trie.id("abc"), trie.id("b")), (Some(2), None, Some(4)));
        assert_eq!(Trie::of([]).longest("a"), None);
    }
}
