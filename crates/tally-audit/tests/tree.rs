//! The tree against the vectors of RFC 6962 and a naive model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tally_audit::{
    Hash256,
    tree::{Frontier, Step, append, append_needs, leaf_hash, verify_consistency, verify_inclusion},
};

/// The leaves and roots that Certificate Transparency's implementations test with.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

type Stored = BTreeMap<u64, Hash256>;

fn grow(stored: &mut Stored, index: u64, leaf: Hash256) {
    let known = append_needs(index).into_iter().map(|at| (at, stored[&at])).collect();
    stored.extend(append(index, leaf, &known).unwrap());
}

fn only(stored: &Stored, step: Step) -> Vec<Hash256> {
    let known = step.needs().unwrap().into_iter().map(|at| (at, stored[&at])).collect();
    step.compute(&known).unwrap()
}

/// The definition of RFC 6962, section 2.1, word by word.
fn naive(leaves: &[Hash256]) -> Hash256 {
    use sha2::{Digest, Sha256};
    match leaves {
        [] => Hash256(Sha256::digest(b"").into()),
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            let mut hasher = Sha256::new();
            hasher.update([1]);
            hasher.update(naive(left).0);
            hasher.update(naive(right).0);
            Hash256(hasher.finalize().into())
        }
    }
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    let (mut frontier, mut stored) = (Frontier::default(), Stored::new());
    assert_eq!(frontier.root(), Hash256::EMPTY_TREE);
    for ((size, leaf), root) in (1..).zip(LEAVES).zip(ROOTS) {
        let leaf = leaf_hash(&hex::decode(leaf).unwrap());
        grow(&mut stored, size - 1, leaf);
        frontier.push(leaf);
        assert_eq!(frontier.root().to_string(), root);
        assert_eq!(only(&stored, Step::Root { size }), [root.parse().unwrap()]);
    }
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    assert!(Step::Inclusion { index: 3, size: 3 }.needs().is_err());
    assert!(Step::Consistency { from: 4, to: 3 }.needs().is_err());
    assert!(Step::Root { size: u64::MAX }.needs().is_err());
    let hash = leaf_hash(b"");
    assert!(verify_inclusion(&[], u64::MAX, hash, u64::MAX, hash).is_err());
    assert!(append(u64::MAX - 1, hash, &Stored::new()).is_err());
    assert!(append(1, hash, &Stored::new()).is_err(), "the left sibling is missing");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_proof_holds_and_no_changed_one_does(
        size in 1_u64..130, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(),
        flip in 0_usize..256,
    ) {
        let leaves: Vec<Hash256> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let (mut frontier, mut stored) = (Frontier::default(), Stored::new());
        for (index, leaf) in (0..).zip(&leaves) {
            grow(&mut stored, index, *leaf);
            frontier.push(*leaf);
        }
        let root = naive(&leaves);
        prop_assert_eq!(frontier.root(), root);
        prop_assert_eq!(only(&stored, Step::Root { size }), vec![root]);

        let index = a.index(leaves.len());
        let (at, leaf) = (index as u64, leaves[index]);
        let proof = only(&stored, Step::Inclusion { index: at, size });
        prop_assert!(verify_inclusion(&proof, at, leaf, size, root).is_ok());
        let other = |hash: Hash256| {
            let mut hash = hash;
            hash.0[flip / 8] ^= 1 << (flip % 8);
            hash
        };
        prop_assert!(verify_inclusion(&proof, at, other(leaf), size, root).is_err());
        prop_assert!(verify_inclusion(&proof, at, leaf, size, other(root)).is_err());
        if let Some(next) = (0..size).find(|n| *n != at) {
            prop_assert!(verify_inclusion(&proof, next, leaf, size, root).is_err());
        }
        for part in 0..proof.len() {
            let mut changed = proof.clone();
            changed[part] = other(changed[part]);
            prop_assert!(verify_inclusion(&changed, at, leaf, size, root).is_err());
            changed.remove(part);
            prop_assert!(verify_inclusion(&changed, at, leaf, size, root).is_err());
        }

        let from = b.index(leaves.len() + 1);
        let (old, from) = (naive(&leaves[..from]), from as u64);
        let proof = only(&stored, Step::Consistency { from, to: size });
        prop_assert!(verify_consistency(&proof, (from, old), (size, root)).is_ok());
        prop_assert!(verify_consistency(&proof, (from, other(old)), (size, root)).is_err());
        if from > 0 {
            prop_assert!(verify_consistency(&proof, (from, old), (size, other(root))).is_err());
        }
        for part in 0..proof.len() {
            let mut changed = proof.clone();
            changed[part] = other(changed[part]);
            prop_assert!(verify_consistency(&changed, (from, old), (size, root)).is_err());
        }
    }
}
