//! Tables of proofs.
