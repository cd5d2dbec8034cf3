//! The starter pack: what is allowed, what needs review, what is prohibited.

/// A file of the starter pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StarterFile {
    /// Its name.
    pub name: &'static str,
    /// What stands in it: policies, as `tally apply` takes them.
    pub text: &'static str,
}

/// The files, in the order in which to read them.
pub const STARTER: &[StarterFile] = &[
    StarterFile { name: "allowed.yaml", text: include_str!("../../starter/allowed.yaml") },
    StarterFile { name: "review.yaml", text: include_str!("../../starter/review.yaml") },
    StarterFile { name: "prohibited.yaml", text: include_str!("../../starter/prohibited.yaml") },
];
