//! Cuts a wasm module in two: what stays, and what moves out and is loaded into the same instance when it is first asked for.
//!
//! The second half has no memory, table or global of its own: it imports the first's, and whatever functions of the first it
//! calls. In place of each function that has moved the first half exports one that calls through a slot of the table, and
//! the second half, once instantiated, puts its functions there. So a caller sees one module that has learned something.

use anyhow::{Context, Result, bail};
use std::collections::HashSet;
use walrus::ir::Value;
use walrus::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionKind,
    GlobalKind, ImportKind, ImportedFunction, Module, TableId, passes::gc,
};

/// The module that the second half imports from.
pub const FIRST: &str = "engine";

/// The two halves.
#[derive(Debug)]
pub struct Halves {
    /// What stays.
    pub first: Vec<u8>,
    /// What moves.
    pub second: Vec<u8>,
}

/// Moves the exported functions `names`, and what nothing else needs, out of a module.
///
/// What a table of functions lists stays: who calls through it cannot be known.
///
/// # Errors
///
/// A module that exports no such function, one without a table of functions, and one with segments that code may still read.
pub fn split(module: &[u8], names: &[&str]) -> Result<Halves> {
    let staying = staying(Module::from_buffer(module)?, names)?;
    let mut first = Module::from_buffer(module)?;
    let mut second = Module::from_buffer(module)?;
    let table = table_of(&first)?;
    let slots = first.tables.get(table).initial;
    let asked = make_second(&mut second, names, &staying, slots)?;
    make_first(&mut first, names, table, &asked)?;
    Ok(Halves {
        first: first.emit_wasm(),
        second: second.emit_wasm(),
    })
}

/// The numbers of the functions that are needed without those named. Two readings of a module number alike.
fn staying(mut module: Module, names: &[&str]) -> Result<HashSet<usize>> {
    for name in names {
        module.exports.remove(name)?;
    }
    gc::run(&mut module);
    Ok(module
        .funcs
        .iter()
        .map(|function| function.id().index())
        .collect())
}

fn table_of(module: &Module) -> Result<TableId> {
    let table = module.tables.main_function_table()?;
    table.context("the module has no table of functions to call through")
}

/// Leaves what moves. Gives the names of what it asks of the first half: a letter for the kind and the number.
fn make_second(
    module: &mut Module,
    names: &[&str],
    staying: &HashSet<usize>,
    slots: u64,
) -> Result<Vec<String>> {
    if module
        .data
        .iter()
        .any(|data| matches!(data.kind, DataKind::Passive))
    {
        bail!("the module has passive data, which either half may want");
    }
    let table = table_of(module)?;
    let moved: Vec<_> = names
        .iter()
        .map(|name| module.exports.get_func(name))
        .collect::<Result<_>>()?;
    for id in module
        .imports
        .iter()
        .map(|import| import.id())
        .collect::<Vec<_>>()
    {
        let import = module.imports.get_mut(id);
        let ImportKind::Function(function) = import.kind else {
            bail!("the module imports more than functions");
        };
        import.module = FIRST.into();
        import.name = format!("f{}", function.index());
    }
    let functions: Vec<_> = module
        .funcs
        .iter_local()
        .map(|(id, function)| (id, function.ty()))
        .filter(|(id, _)| staying.contains(&id.index()))
        .collect();
    for (id, ty) in functions {
        let import = module.imports.add(FIRST, &format!("f{}", id.index()), id);
        module.funcs.get_mut(id).kind = FunctionKind::Import(ImportedFunction { import, ty });
    }
    for id in module
        .tables
        .iter()
        .map(|table| table.id())
        .collect::<Vec<_>>()
    {
        let import = module.imports.add(FIRST, &format!("t{}", id.index()), id);
        let entry = module.tables.get_mut(id);
        entry.import = Some(import);
        entry.elem_segments.clear();
    }
    for id in module
        .memories
        .iter()
        .map(|memory| memory.id())
        .collect::<Vec<_>>()
    {
        let import = module.imports.add(FIRST, &format!("m{}", id.index()), id);
        let entry = module.memories.get_mut(id);
        entry.import = Some(import);
        entry.data_segments.clear();
    }
    for id in module
        .globals
        .iter()
        .map(|global| global.id())
        .collect::<Vec<_>>()
    {
        let import = module.imports.add(FIRST, &format!("g{}", id.index()), id);
        module.globals.get_mut(id).kind = GlobalKind::Import(import);
    }
    for id in module.data.iter().map(|data| data.id()).collect::<Vec<_>>() {
        module.data.delete(id);
    }
    for id in module
        .elements
        .iter()
        .map(|element| element.id())
        .collect::<Vec<_>>()
    {
        module.elements.delete(id);
    }
    for id in module
        .exports
        .iter()
        .map(|export| export.id())
        .collect::<Vec<_>>()
    {
        module.exports.delete(id);
    }
    module.start = None;
    let kind = ElementKind::Active {
        table,
        offset: ConstExpr::Value(Value::I32(i32::try_from(slots)?)),
    };
    let element = module
        .elements
        .add(kind, ElementItems::Functions(moved.clone()));
    let entry = module.tables.get_mut(table);
    entry.elem_segments.insert(element);
    entry.initial += moved.len() as u64;
    entry.maximum = entry.maximum.map(|most| most + moved.len() as u64);
    // For whoever wants to know what is in it; called it is through the first half.
    for (name, function) in names.iter().zip(moved) {
        module.exports.add(name, function);
    }
    gc::run(module);
    Ok(module
        .imports
        .iter()
        .map(|import| import.name.clone())
        .collect())
}

/// Leaves what stays, exports what the second half asks for, and calls what has moved through the table.
fn make_first(module: &mut Module, names: &[&str], table: TableId, asked: &[String]) -> Result<()> {
    for name in asked {
        let item = item(module, name)?;
        module.exports.add(name, item);
    }
    for name in names {
        let export = module
            .exports
            .iter()
            .find(|export| export.name == *name)
            .with_context(|| format!("the module exports no {name}"))?
            .id();
        let function = module.exports.get_func(name)?;
        let ty = module.funcs.get(function).ty();
        let params = module.types.params(ty).to_vec();
        let results = module.types.results(ty).to_vec();
        let mut stub = FunctionBuilder::new(&mut module.types, &params, &results);
        let locals: Vec<_> = params.iter().map(|&ty| module.locals.add(ty)).collect();
        let slot = module.tables.get(table).initial;
        let mut body = stub.func_body();
        for &local in &locals {
            body.local_get(local);
        }
        body.i32_const(i32::try_from(slot)?)
            .call_indirect(ty, table);
        let stub = stub.finish(locals, &mut module.funcs);
        module.exports.get_mut(export).item = stub.into();
        let entry = module.tables.get_mut(table);
        entry.initial += 1;
        entry.maximum = entry.maximum.map(|most| most + 1);
    }
    gc::run(module);
    Ok(())
}

/// What a name that the second half asks for stands for in the first.
fn item(module: &Module, name: &str) -> Result<ExportItem> {
    let (kind, number) = name.split_at(1);
    let number: usize = number.parse()?;
    let is = |index: usize| index == number;
    let found: Option<ExportItem> = match kind {
        "f" => {
            let mut ids = module.funcs.iter().map(|function| function.id());
            ids.find(|id| is(id.index())).map(Into::into)
        }
        "t" => {
            let mut ids = module.tables.iter().map(|table| table.id());
            ids.find(|id| is(id.index())).map(Into::into)
        }
        "m" => {
            let mut ids = module.memories.iter().map(|memory| memory.id());
            ids.find(|id| is(id.index())).map(Into::into)
        }
        _ => {
            let mut ids = module.globals.iter().map(|global| global.id());
            ids.find(|id| is(id.index())).map(Into::into)
        }
    };
    found.with_context(|| format!("the module has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use walrus::{FunctionId, ModuleConfig, RefType, ValType};

    /// A module whose functions `double` and `explain` call `shared`, which adds a global; `explain` also calls `helper`, and
    /// `listed` stands in the table.
    fn whole() -> Vec<u8> {
        let mut module = Module::with_config(ModuleConfig::new());
        let memory = module.memories.add_local(false, false, 1, None, None);
        module.exports.add("memory", memory);
        let start = ConstExpr::Value(Value::I32(7));
        let global = module.globals.add_local(ValType::I32, true, false, start);
        let shared = function(&mut module, |body| {
            body.global_get(global).binop(walrus::ir::BinaryOp::I32Add);
        });
        let helper = function(&mut module, |body| {
            body.call(shared).call(shared);
        });
        let double = function(&mut module, |body| {
            body.call(shared);
        });
        let explain = function(&mut module, |body| {
            body.call(helper).call(shared);
        });
        let listed = function(&mut module, |_| {});
        module.exports.add("double", double);
        module.exports.add("explain", explain);
        let table = module.tables.add_local(false, 2, Some(2), RefType::FUNCREF);
        let kind = ElementKind::Active {
            table,
            offset: ConstExpr::Value(Value::I32(1)),
        };
        let element = module
            .elements
            .add(kind, ElementItems::Functions(vec![listed]));
        module.tables.get_mut(table).elem_segments.insert(element);
        module.exports.add("table", table);
        module.emit_wasm()
    }

    fn function(
        module: &mut Module,
        fill: impl FnOnce(&mut walrus::InstrSeqBuilder),
    ) -> FunctionId {
        let mut builder = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[ValType::I32]);
        let x = module.locals.add(ValType::I32);
        let mut body = builder.func_body();
        body.local_get(x);
        fill(&mut body);
        builder.finish(vec![x], &mut module.funcs)
    }

    fn locals(module: &Module) -> usize {
        module.funcs.iter_local().count()
    }

    #[test]
    fn what_only_the_named_function_needs_moves() {
        let halves = split(&whole(), &["explain"]).unwrap();
        let first = Module::from_buffer(&halves.first).unwrap();
        let second = Module::from_buffer(&halves.second).unwrap();
        // shared, double, listed, and a call through the table instead of `explain`.
        assert_eq!(locals(&first), 4);
        assert_eq!(locals(&second), 2);
        let table = |module: &Module| {
            let table = module.tables.main_function_table().unwrap().unwrap();
            let table = module.tables.get(table);
            (table.initial, table.maximum)
        };
        assert_eq!(table(&first), (3, Some(3)));
        assert_eq!(table(&second), (3, Some(3)));
    }

    #[test]
    fn the_second_half_finds_all_that_it_asks_for() {
        let halves = split(&whole(), &["explain"]).unwrap();
        let first = Module::from_buffer(&halves.first).unwrap();
        let second = Module::from_buffer(&halves.second).unwrap();
        let asked: Vec<_> = second.imports.iter().collect();
        assert_eq!(asked.len(), 2, "`shared` and the table");
        for import in asked {
            assert_eq!(import.module, FIRST);
            let given = first
                .exports
                .iter()
                .find(|export| export.name == import.name);
            let same = match (given.map(|export| export.item), &import.kind) {
                (Some(ExportItem::Function(_)), ImportKind::Function(_)) => true,
                (Some(ExportItem::Table(_)), ImportKind::Table(_)) => true,
                _ => false,
            };
            assert!(same, "{} is not what was asked for", import.name);
        }
        let name = |export: &walrus::Export| export.name.clone();
        assert_eq!(
            second.exports.iter().map(name).collect::<Vec<_>>(),
            ["explain"]
        );
        assert!(first.exports.get_func("explain").is_ok());
    }

    #[test]
    fn a_function_that_is_not_there_is_named() {
        let refused = split(&whole(), &["explode"]).unwrap_err();
        assert!(format!("{refused:#}").contains("explode"), "{refused:#}");
    }
}
