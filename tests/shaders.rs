//! Every program for graphics cards, without a card: it is valid, and it is called as it wants to be.
#![cfg(all(feature = "gpu", not(feature = "sabotage")))]

use kernelscope::backend::gpu::source;
use kernelscope::ops::gpu::{Program, programs};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, StorageAccess, TypeInner};

fn parse(program: &Program, half: bool) -> naga::Module {
    let text = source(program, half);
    let module = naga::front::wgsl::parse_str(&text);
    let module = module.unwrap_or_else(|e| panic!("{}: {}", program.name, e.emit_to_string(&text)));
    let capabilities = if half {
        Capabilities::SHADER_FLOAT16
    } else {
        Capabilities::empty()
    };
    let checked = Validator::new(ValidationFlags::all(), capabilities).validate(&module);
    checked.unwrap_or_else(|e| panic!("{}: {}", program.name, e.emit_to_string(&text)));
    module
}

#[test]
fn programs_are_valid_in_both_precisions() {
    for program in programs() {
        parse(program, false);
        parse(program, true);
    }
}

#[test]
fn numbers_and_bindings_are_those_of_the_calls() {
    for program in programs() {
        let module = parse(program, false);
        let mut bound: Vec<_> = module
            .global_variables
            .iter()
            .filter_map(|(_, variable)| Some((variable.binding.as_ref()?.binding, variable)))
            .collect();
        bound.sort_by_key(|(binding, _)| *binding);
        let bindings: Vec<u32> = bound.iter().map(|(binding, _)| *binding).collect();
        let expected: Vec<u32> = (0..program.reads as u32 + 2).collect();
        assert_eq!(bindings, expected, "{}", program.name);
        for (binding, variable) in &bound {
            let space = match *binding {
                0 => AddressSpace::Uniform,
                n if n as usize <= program.reads => AddressSpace::Storage {
                    access: StorageAccess::LOAD,
                },
                _ => AddressSpace::Storage {
                    access: StorageAccess::LOAD | StorageAccess::STORE,
                },
            };
            assert_eq!(variable.space, space, "{}, binding {binding}", program.name);
        }
        let TypeInner::Struct { members, .. } = &module.types[bound[0].1.ty].inner else {
            panic!("{}: binding 0 is no struct", program.name)
        };
        let names: Vec<&str> = members.iter().filter_map(|m| m.name.as_deref()).collect();
        assert_eq!(names, program.numbers, "{}", program.name);
        for (i, member) in members.iter().enumerate() {
            assert_eq!(
                member.offset,
                4 * i as u32,
                "{}: 32 bits each",
                program.name
            );
        }
    }
}

#[test]
fn groups_take_little_memory() {
    for program in programs() {
        let module = parse(program, false);
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).expect("sizes");
        let shared = module
            .global_variables
            .iter()
            .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup);
        let bytes: u32 = shared.map(|(_, variable)| layouter[variable.ty].size).sum();
        assert!(bytes <= 16_384, "{}: {bytes} bytes", program.name);
        if program.name == "tiled" {
            assert_eq!(bytes, 5_184);
        }
        let threads: u32 = module.entry_points[0].workgroup_size.iter().product();
        assert!(threads <= 256, "{}: {threads} threads", program.name);
    }
}
