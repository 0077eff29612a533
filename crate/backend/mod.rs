//! Where networks run besides the processor: a graphics card, through wgpu. What is computed there is written down by
//! [`crate::graph`] and [`crate::ops`] as lists of calls; here they are given memory ([`memory`]) and carried out ([`gpu`]).

pub mod gpu;
pub mod memory;
