//! Reading the files people in microscopy have.

pub mod png;
