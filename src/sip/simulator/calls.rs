//! Thousands of calls at random.
