//! The tree of RFC 6962: appending, roots, proofs and their verification.
//!
//! The hashes of complete subtrees are numbered in the order in which they come to be
//! (the numbering of Go's `sumdb/tlog`), so that a table of number and hash is the whole
//! tree: an append adds rows and changes none. What has to be read is told first
//! ([`Step::needs`]) and then given, as this crate does no reading of its own.

use std::{cell::RefCell, collections::BTreeMap};

use tlog_tiles::tlog::{self, HashReader};

use crate::Hash256;

/// No log is longer; keeps arithmetic away from its limits.
pub const SIZE_MAX: u64 = 1 << 48;

/// The right edge of a tree: all that is needed to append to it and to know its root.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    /// The roots of complete subtrees, the largest first.
    peaks: Vec<Hash256>,
}

/// Something to be computed from stored hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The root of the tree of the first so many entries.
    Root {
        /// So many.
        size: u64,
    },
    /// The proof that an entry is in the tree.
    Inclusion {
        /// Which entry; the first is 0.
        index: u64,
        /// In the tree of so many entries.
        size: u64,
    },
    /// The proof that one tree begins with another.
    Consistency {
        /// The smaller tree.
        from: u64,
        /// The larger one.
        to: u64,
    },
}

/// Why something could not be computed or is not proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Numbers that do not fit together.
    #[error("{0}")]
    Argument(&'static str),
    /// A stored hash is missing.
    #[error("the stored hash {0} is missing")]
    Missing(u64),
    /// The proof does not prove it.
    #[error("the proof does not lead to the root hash")]
    Unproven,
}

/// The hash of a leaf.
pub fn leaf_hash(data: &[u8]) -> Hash256 {
    tlog::record_hash(data).into()
}

/// The numbers of the stored hashes that appending entry `index` needs.
pub fn append_needs(index: u64) -> Vec<u64> {
    let complete = (index + 1).trailing_zeros();
    (0..complete)
        .filter_map(|level| {
            let level = u8::try_from(level).ok()?;
            Some(tlog::stored_hash_index(level, (index >> level) - 1))
        })
        .collect()
}

/// What is stored when the leaf `leaf` becomes entry `index`: numbers and hashes.
///
/// # Errors
/// `Missing` when `known` lacks one of [`append_needs`].
pub fn append(
    index: u64,
    leaf: Hash256,
    known: &BTreeMap<u64, Hash256>,
) -> Result<Vec<(u64, Hash256)>, TreeError> {
    if index >= SIZE_MAX {
        return Err(TreeError::Argument("expected a log of at most 2^48 entries"));
    }
    let first = tlog::stored_hash_index(0, index);
    let mut stored = vec![(first, leaf)];
    let mut node = leaf;
    for (above, left) in (first + 1..).zip(append_needs(index)) {
        let left = *known.get(&left).ok_or(TreeError::Missing(left))?;
        node = tlog::node_hash(left.into(), node.into()).into();
        stored.push((above, node));
    }
    Ok(stored)
}

/// Whether the entry with this leaf hash is in the tree with this root.
///
/// # Errors
/// `Unproven`, or `Argument` for an entry that the tree cannot hold.
pub fn verify_inclusion(
    proof: &[Hash256],
    index: u64,
    leaf: Hash256,
    size: u64,
    root: Hash256,
) -> Result<(), TreeError> {
    Step::Inclusion { index, size }.check()?;
    tlog::check_record(&theirs(proof), size, root.into(), index, leaf.into())
        .map_err(|_| TreeError::Unproven)
}

/// Whether the tree with the root `new` begins with the one with the root `old`.
///
/// # Errors
/// `Unproven`, or `Argument` for sizes that do not fit.
pub fn verify_consistency(
    proof: &[Hash256],
    (from, old): (u64, Hash256),
    (to, new): (u64, Hash256),
) -> Result<(), TreeError> {
    Step::Consistency { from, to }.check()?;
    if from == 0 {
        let is_empty = proof.is_empty() && old == Hash256::EMPTY_TREE;
        return if is_empty { Ok(()) } else { Err(TreeError::Unproven) };
    }
    tlog::check_tree(&theirs(proof), to, new.into(), from, old.into())
        .map_err(|_| TreeError::Unproven)
}

fn theirs(hashes: &[Hash256]) -> Vec<tlog::Hash> {
    hashes.iter().map(|hash| (*hash).into()).collect()
}

// === impl Step ===

impl Step {
    fn check(self) -> Result<(), TreeError> {
        let (fits, wanted) = match self {
            Self::Root { size } => (size <= SIZE_MAX, "expected at most 2^48 entries"),
            Self::Inclusion { index, size } => {
                (index < size && size <= SIZE_MAX, "expected an entry within the tree")
            }
            Self::Consistency { from, to } => {
                (from <= to && to <= SIZE_MAX, "expected the smaller tree first")
            }
        };
        if fits { Ok(()) } else { Err(TreeError::Argument(wanted)) }
    }

    /// The numbers of the stored hashes that it needs.
    ///
    /// # Errors
    /// `Argument` for numbers that do not fit together.
    pub fn needs(self) -> Result<Vec<u64>, TreeError> {
        let asked = Asked::default();
        self.run(&asked)?;
        Ok(asked.0.into_inner())
    }

    /// The hashes of the proof, or the root alone.
    ///
    /// # Errors
    /// `Missing` when `known` lacks one of [`needs`](Self::needs).
    pub fn compute(self, known: &BTreeMap<u64, Hash256>) -> Result<Vec<Hash256>, TreeError> {
        if let Some(missing) = self.needs()?.into_iter().find(|index| !known.contains_key(index)) {
            return Err(TreeError::Missing(missing));
        }
        self.run(&Known(known))
    }

    fn run(self, reader: &impl HashReader) -> Result<Vec<Hash256>, TreeError> {
        self.check()?;
        let hashes = match self {
            Self::Root { size } => tlog::tree_hash(size, reader).map(|root| vec![root]),
            Self::Inclusion { index, size } => tlog::prove_record(size, index, reader),
            Self::Consistency { from: 0, .. } => Ok(Vec::new()),
            Self::Consistency { from, to } => tlog::prove_tree(to, from, reader),
        };
        let hashes = hashes.map_err(|_| TreeError::Unproven)?;
        Ok(hashes.into_iter().map(Hash256::from).collect())
    }
}

/// Notes what is asked for, and answers anything.
#[derive(Default)]
struct Asked(RefCell<Vec<u64>>);

impl HashReader for Asked {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        self.0.borrow_mut().extend(indexes);
        Ok(vec![tlog::EMPTY_HASH; indexes.len()])
    }
}

struct Known<'a>(&'a BTreeMap<u64, Hash256>);

impl HashReader for Known<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        let read = |index| self.0.get(index).map(|hash| (*hash).into());
        indexes.iter().map(read).collect::<Option<_>>().ok_or(tlog::Error::IndexesNotInTree)
    }
}

// === impl Frontier ===

impl Frontier {
    /// How many entries there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash256) {
        let mut node = leaf;
        // Each complete subtree of the same size joins the new one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = tlog::node_hash(left.into(), node.into()).into();
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash256 {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(last) = peaks.next() else { return Hash256::EMPTY_TREE };
        peaks.fold(last, |right, left| tlog::node_hash(left.into(), right.into()).into())
    }
}
