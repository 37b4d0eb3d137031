//! Whole calls under simulated time: two sessions, a network between them, a seed.
