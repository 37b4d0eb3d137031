//! Mutated messages.
