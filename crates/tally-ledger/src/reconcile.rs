//! Reconciliation: Tally's numbers against the provider's bill.
