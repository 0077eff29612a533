//! Cuts parts off a wasm module: each is loaded into the same instance when it is first asked for.
//!
//! A part has no memory, table or global of its own: it imports those of the rest, and whatever functions of it it calls. In
//! place of each function that was cut off the rest has one that calls through a slot of the table, and the part, once
//! instantiated, puts its functions there. So a caller, in the module or outside, sees one module that has learned something.

use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use walrus::ir::Value;
use walrus::{
    ConstExpr, Data, DataKind, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId,
    FunctionKind, GlobalKind, Import, ImportKind, ImportedFunction, Module, TableId, passes::gc,
};

/// The module that parts import from.
pub const REST: &str = "engine";

/// A module and what was cut off.
#[derive(Debug)]
pub struct Cut {
    /// What stays.
    pub rest: Vec<u8>,
    /// The parts, in the order in which they were named.
    pub parts: Vec<Vec<u8>>,
}

/// Cuts the exported functions named for each part off a module, with what nothing but one of them needs. What several parts
/// need, and the rest does not, each of them has.
///
/// What a table of functions lists stays: who calls through it cannot be known.
///
/// # Errors
///
/// A module that exports no such function, one without a table of functions, and one with segments that code may still read.
pub fn cut(module: &[u8], parts: &[&[&str]]) -> Result<Cut> {
    let mut rest = Module::from_buffer(module)?;
    let passive = |data: &Data| matches!(data.kind, DataKind::Passive);
    if rest.data.iter().any(passive) {
        bail!("the module has passive data, which any part may want");
    }
    let function = |import: &Import| matches!(import.kind, ImportKind::Function(_));
    if !rest.imports.iter().all(function) {
        bail!("the module imports more than functions");
    }
    let first_slot = rest.tables.get(table_of(&rest)?).initial;
    for name in parts.iter().copied().flatten() {
        call_through_table(&mut rest, name)?;
    }
    let items = items(&rest);
    // What the module itself imports, and its globals, may be needed by parts alone.
    let alone = |item: &ExportItem| match *item {
        ExportItem::Function(id) => matches!(rest.funcs.get(id).kind, FunctionKind::Import(_)),
        ExportItem::Global(_) => true,
        _ => false,
    };
    let spare: Vec<_> = items.iter().filter(|(_, item)| alone(item)).collect();
    for (name, item) in &spare {
        rest.exports.add(name, **item);
    }
    gc::run(&mut rest);
    // Two readings of a module number its functions alike.
    let staying: HashSet<usize> = rest.funcs.iter().map(|f| f.id().index()).collect();
    let (mut slot, mut asked, mut made) = (first_slot, BTreeSet::new(), Vec::new());
    for names in parts {
        let mut part = Module::from_buffer(module)?;
        leave_part(&mut part, names, &staying, slot)?;
        slot += names.len() as u64;
        asked.extend(part.imports.iter().map(|import| import.name.clone()));
        made.push(part.emit_wasm());
    }
    for (name, _) in spare {
        rest.exports.remove(name)?;
    }
    for name in &asked {
        let item = items.get(name);
        rest.exports.add(
            name,
            *item.with_context(|| format!("the module has no {name}"))?,
        );
    }
    gc::run(&mut rest);
    Ok(Cut {
        rest: rest.emit_wasm(),
        parts: made,
    })
}

/// All that a part can ask for: its name there, a letter for its kind and its number, and what it is.
fn items(module: &Module) -> BTreeMap<String, ExportItem> {
    let mut items: BTreeMap<String, ExportItem> = BTreeMap::new();
    for id in module.funcs.iter().map(|entry| entry.id()) {
        items.insert(format!("f{}", id.index()), id.into());
    }
    for id in module.tables.iter().map(|entry| entry.id()) {
        items.insert(format!("t{}", id.index()), id.into());
    }
    for id in module.memories.iter().map(|entry| entry.id()) {
        items.insert(format!("m{}", id.index()), id.into());
    }
    for id in module.globals.iter().map(|entry| entry.id()) {
        items.insert(format!("g{}", id.index()), id.into());
    }
    items
}

fn table_of(module: &Module) -> Result<TableId> {
    let table = module.tables.main_function_table()?;
    table.context("the module has no table of functions to call through")
}

fn exported(module: &Module, name: &str) -> Result<FunctionId> {
    let function = module.exports.get_func(name);
    function.with_context(|| format!("the module exports no function {name}"))
}

/// Puts a call through the table's next slot in the place of a function.
fn call_through_table(module: &mut Module, name: &str) -> Result<()> {
    let (table, function) = (table_of(module)?, exported(module, name)?);
    let ty = module.funcs.get(function).ty();
    let params = module.types.params(ty).to_vec();
    let results = module.types.results(ty).to_vec();
    let mut body = FunctionBuilder::new(&mut module.types, &params, &results);
    let locals: Vec<_> = params.iter().map(|&ty| module.locals.add(ty)).collect();
    let entry = module.tables.get_mut(table);
    let slot = i32::try_from(entry.initial)?;
    entry.initial += 1;
    entry.maximum = entry.maximum.map(|most| most + 1);
    let mut calls = body.func_body();
    for &local in &locals {
        calls.local_get(local);
    }
    calls.i32_const(slot).call_indirect(ty, table);
    module.funcs.get_mut(function).kind = FunctionKind::Local(body.local_func(locals));
    Ok(())
}

/// Leaves one part, whose functions have the table's slots from `slot` on.
///
/// What it imports has the names of [`items`].
fn leave_part(
    module: &mut Module,
    names: &[&str],
    staying: &HashSet<usize>,
    slot: u64,
) -> Result<()> {
    let table = table_of(module)?;
    let own: Vec<FunctionId> = names
        .iter()
        .map(|name| exported(module, name))
        .collect::<Result<_>>()?;
    let imports: Vec<_> = module.imports.iter().map(|import| import.id()).collect();
    for id in imports {
        let import = module.imports.get_mut(id);
        let ImportKind::Function(function) = import.kind else {
            continue;
        };
        import.module = REST.into();
        import.name = format!("f{}", function.index());
    }
    let of_the_rest: Vec<_> = module
        .funcs
        .iter_local()
        .map(|(id, function)| (id, function.ty()))
        .filter(|(id, _)| staying.contains(&id.index()) && !own.contains(id))
        .collect();
    for (id, ty) in of_the_rest {
        let name = format!("f{}", id.index());
        let import = module.imports.add(REST, &name, id);
        module.funcs.get_mut(id).kind = FunctionKind::Import(ImportedFunction { import, ty });
    }
    for entry in module.tables.iter_mut() {
        let name = format!("t{}", entry.id().index());
        entry.import = Some(module.imports.add(REST, &name, entry.id()));
        entry.elem_segments.clear();
    }
    for entry in module.memories.iter_mut() {
        let name = format!("m{}", entry.id().index());
        entry.import = Some(module.imports.add(REST, &name, entry.id()));
        entry.data_segments.clear();
    }
    let globals: Vec<_> = module.globals.iter().map(|global| global.id()).collect();
    for id in globals {
        let import = module.imports.add(REST, &format!("g{}", id.index()), id);
        module.globals.get_mut(id).kind = GlobalKind::Import(import);
    }
    let data: Vec<_> = module.data.iter().map(|data| data.id()).collect();
    data.into_iter().for_each(|id| module.data.delete(id));
    let elements: Vec<_> = module.elements.iter().map(|list| list.id()).collect();
    elements
        .into_iter()
        .for_each(|id| module.elements.delete(id));
    let exports: Vec<_> = module.exports.iter().map(|export| export.id()).collect();
    exports.into_iter().for_each(|id| module.exports.delete(id));
    module.start = None;
    let kind = ElementKind::Active {
        table,
        offset: ConstExpr::Value(Value::I32(i32::try_from(slot)?)),
    };
    let list = ElementItems::Functions(own.clone());
    let element = module.elements.add(kind, list);
    let entry = module.tables.get_mut(table);
    entry.elem_segments.insert(element);
    // Parts ask for no longer table than the rest has.
    entry.initial = slot + own.len() as u64;
    entry.maximum = None;
    // For whoever wants to know what is in it; called they are through the rest.
    for (name, function) in names.iter().zip(own) {
        module.exports.add(name, function);
    }
    gc::run(module);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use walrus::{FunctionId, ModuleConfig, RefType, ValType};

    /// A module whose functions `double` and `explain` call `shared`, which adds a global; `explain` also calls `double`, its
    /// `helper`, and a function that the module imports; `listed` stands in the table.
    fn whole() -> Vec<u8> {
        let mut module = Module::with_config(ModuleConfig::new());
        let memory = module.memories.add_local(false, false, 1, None, None);
        module.exports.add("memory", memory);
        let start = ConstExpr::Value(Value::I32(7));
        let global = module.globals.add_local(ValType::I32, true, false, start);
        let shared = function(&mut module, |body| {
            body.global_get(global).binop(walrus::ir::BinaryOp::I32Add);
        });
        let ty = module.types.add(&[ValType::I32], &[ValType::I32]);
        let (outside, _) = module.add_import_func("glue", "outside", ty);
        let helper = function(&mut module, |body| {
            body.call(shared).call(outside);
        });
        let double = function(&mut module, |body| {
            body.call(shared);
        });
        let explain = function(&mut module, |body| {
            body.call(helper).call(double);
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

    fn halves(names: &[&str]) -> [Module; 2] {
        let cut = cut(&whole(), &[names]).unwrap();
        [&cut.rest, &cut.parts[0]].map(|bytes| Module::from_buffer(bytes).unwrap())
    }

    #[test]
    fn what_only_the_named_function_needs_is_cut_off() {
        let [rest, part] = halves(&["explain"]);
        // shared, double, listed, and a call through the table instead of `explain`.
        assert_eq!(locals(&rest), 4);
        assert_eq!(locals(&part), 2);
        let table = |module: &Module| {
            let table = module.tables.main_function_table().unwrap().unwrap();
            module.tables.get(table).initial
        };
        assert_eq!([table(&rest), table(&part)], [3, 3]);
    }

    #[test]
    fn a_part_finds_all_that_it_asks_for() {
        let [rest, part] = halves(&["explain"]);
        let asked: Vec<_> = part.imports.iter().collect();
        assert_eq!(asked.len(), 4, "`shared`, `double`, `outside`, the table");
        for import in asked {
            assert_eq!(import.module, REST);
            let given = rest
                .exports
                .iter()
                .find(|export| export.name == import.name);
            let same = matches!(
                (given.map(|export| export.item), &import.kind),
                (Some(ExportItem::Function(_)), ImportKind::Function(_))
                    | (Some(ExportItem::Table(_)), ImportKind::Table(_))
            );
            assert!(same, "{} is not what was asked for", import.name);
        }
        let name = |export: &walrus::Export| export.name.clone();
        assert_eq!(
            part.exports.iter().map(name).collect::<Vec<_>>(),
            ["explain"]
        );
        assert!(rest.exports.get_func("explain").is_ok());
    }

    #[test]
    fn parts_have_slots_of_their_own_and_call_one_another_through_them() {
        let cut = cut(&whole(), &[&["explain"], &["double"]]).unwrap();
        let [one, other] = [0, 1].map(|i| Module::from_buffer(&cut.parts[i]).unwrap());
        let offset = |module: &Module| match module.elements.iter().next().unwrap().kind {
            ElementKind::Active {
                offset: ConstExpr::Value(Value::I32(slot)),
                ..
            } => slot,
            _ => panic!("a part fills its slots when it is instantiated"),
        };
        assert_eq!([offset(&one), offset(&other)], [2, 3]);
        // `explain` calls `double`, which is the other part's.
        assert_eq!([locals(&one), locals(&other)], [2 + 1, 1 + 1]);
    }

    #[test]
    fn a_function_that_is_not_there_is_named() {
        let refused = cut(&whole(), &[&["explode"]]).unwrap_err();
        assert!(format!("{refused:#}").contains("explode"), "{refused:#}");
    }
}
