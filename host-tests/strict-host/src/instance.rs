//! One instance of a module: its exports are called, one at a time, and the host's state lies beside it.

use crate::options::VmOptions;
use crate::plugin::Plugin;
use crate::state::{Running, State, World};
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use wasmtime::{Store, Trap, WasmParams, WasmResults};

/// A VM: an instance of the module, and what the host knows of it.
pub(crate) struct Instance {
    pub(crate) id: u32,
    fuel: Cell<u64>,
    plugin: Plugin,
    module: Cell<Option<wasmtime::Instance>>,
    store: RefCell<Store<State>>,
}

impl Instance {
    /// The module's memory and functions are there; nothing of it has run.
    pub(crate) fn new(id: u32, plugin: &Plugin, world: World, options: VmOptions) -> Self {
        let store = RefCell::new(Store::new(&plugin.engine, State::new(id, world, options)));
        let instance = Self { id, fuel: Cell::new(0), plugin: plugin.clone(), module: Cell::new(None), store };
        instance.instantiate();
        instance
    }

    /// Calls an export, if there is one. A trap fails the test.
    pub(crate) fn run<P: WasmParams, R: WasmResults>(
        &self,
        export: &'static str,
        context: u32,
        parameters: P,
    ) -> Option<R> {
        if !self.plugin.exports(export) {
            return None;
        }
        let result = self.try_run(export, context, parameters);
        Some(result.unwrap_or_else(|error| self.fail(export, context, &error)))
    }

    fn try_run<P: WasmParams, R: WasmResults>(
        &self,
        export: &'static str,
        context: u32,
        parameters: P,
    ) -> wasmtime::Result<R> {
        let store = &mut *self.store.borrow_mut();
        let instance = self.module.get().expect("the module is instantiated");
        let function = instance.get_typed_func::<P, R>(&mut *store, export)?;
        let fuel = store.data().options.fuel_per_call;
        store.set_fuel(fuel)?;
        // Each callback starts without an effective context, as in Envoy.
        store.data_mut().running = Running { callback: export, context, effective: 0 };
        let result = function.call(&mut *store, parameters);
        self.fuel.set(self.fuel.get() + fuel.saturating_sub(store.get_fuel()?));
        store.data_mut().running = Running { callback: "no callback", context: 0, effective: 0 };
        result
    }

    pub(crate) fn state<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        access(self.store.borrow_mut().data_mut())
    }

    /// The instructions that all callbacks have taken so far.
    pub(crate) fn fuel(&self) -> u64 {
        self.fuel.get()
    }

    /// The size of the linear memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let store = self.store.borrow();
        store.data().memory.map_or(0, |memory| memory.data_size(&*store))
    }

    fn instantiate(&self) {
        let store = &mut *self.store.borrow_mut();
        let fuel = store.data().options.fuel_per_call;
        store.set_fuel(fuel).expect("the engine counts fuel");
        let instance = self.plugin.module.instantiate(&mut *store);
        let instance = instance.unwrap_or_else(|error| panic!("the module does not instantiate: {error:#}"));
        let allocate = ["proxy_on_memory_allocate", "malloc"]
            .iter()
            .find_map(|name| instance.get_typed_func::<u32, u32>(&mut *store, name).ok());
        let memory = instance.get_memory(&mut *store, "memory");
        (store.data_mut().memory, store.data_mut().allocate) = (memory, allocate);
        self.module.set(Some(instance));
    }

    /// A trap ends the VM for good, and the test with it.
    fn fail(&self, export: &str, context: u32, error: &wasmtime::Error) -> ! {
        let why = match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => {
                let fuel = self.store.borrow().data().options.fuel_per_call;
                format!("it ran for {fuel} instructions and did not return: an endless loop?")
            }
            _ => format!("{error:?}"),
        };
        panic!("the plugin trapped in `{export}` for context {context}: {why}\n{}", self.shown_log());
    }

    /// The violations as a text, which are then forgotten.
    pub(crate) fn report(&self) -> Option<String> {
        let violations = self.state(|state| std::mem::take(&mut state.violations));
        if violations.is_empty() {
            return None;
        }
        let mut report = format!("the plugin violated the ABI in VM {}:", self.id);
        for violation in violations {
            let _ = write!(report, "\n- {violation}");
        }
        let _ = write!(report, "\na test that expects this calls `take_violations`; {}", self.shown_log());
        Some(report)
    }

    pub(crate) fn shown_log(&self) -> String {
        let store = self.store.borrow();
        let lines = &store.data().log;
        if lines.is_empty() {
            return "it logged nothing".to_owned();
        }
        let lines = lines.iter().map(|line| format!("\n  [{:?}] {}", line.level, line.message));
        format!("its log:{}", lines.collect::<String>())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // A second panic would abort the test run and hide the first one.
        if std::thread::panicking() {
            return;
        }
        if let Some(report) = self.report() {
            panic!("{report}");
        }
    }
}
