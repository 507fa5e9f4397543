//! One VM: a wasmtime instance with its contexts.

use super::callout::Callout;
use super::exchange::Exchange;
use super::flow;
use super::headers::HeaderMap;
use super::imports;
use super::options::VmOptions;
use super::plugin::Plugin;
use super::signature::VerifySignature;
use super::state::{Context, Deferred, LogLevel, LogLine, RootState, Running, State, Violation, World};
use super::status::Status;
use super::stream::Stream;
use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};
use std::rc::Rc;
use wasmtime::{Instance, Store, Trap, WasmParams, WasmResults};

/// A VM, as Envoy has one per worker. Clones are the same VM.
///
/// A trap in any callback panics with the log, and so does dropping the last clone while it holds violations that
/// nobody took: no test can miss either.
#[derive(Clone)]
pub struct Vm(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) id: u32,
    fuel: Cell<u64>,
    plugin: Plugin,
    instance: Cell<Option<Instance>>,
    store: RefCell<Store<State>>,
}

/// A root context: one configuration of the plugin in one VM.
#[derive(Clone, Debug)]
pub struct Root {
    pub(super) vm: Vm,
    pub(super) id: u32,
}

/// The plugin refused to start.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The root context, which still exists.
    pub root: Root,
    /// `proxy_on_vm_start` or `proxy_on_configure`.
    pub callback: &'static str,
}

impl Vm {
    /// Instantiates the module and initializes it, without a configuration.
    pub(super) fn new(id: u32, plugin: &Plugin, world: World, options: VmOptions) -> Self {
        let store = Store::new(&plugin.engine, State::new(id, world, options));
        let (fuel, instance) = (Cell::new(0), Cell::new(None));
        let inner = Inner { id, fuel, plugin: plugin.clone(), instance, store: RefCell::new(store) };
        let vm = Self(Rc::new(inner));
        vm.0.instantiate();
        let initialize = if plugin.exports("_initialize") { "_initialize" } else { "_start" };
        vm.0.call::<(), ()>(initialize, 0, ());
        vm
    }

    /// The VM's number in its proxy.
    pub fn id(&self) -> u32 {
        self.0.id
    }

    /// Starts the plugin with a configuration, as a listener does: a root context is created, the VM is started, the
    /// configuration is given. Done again, it gives the VM a further root context, as an update does in Envoy.
    pub fn start(&self, configuration: impl AsRef<[u8]>) -> Result<Root, Refused> {
        let state = RootState { configuration: configuration.as_ref().to_vec(), ..RootState::default() };
        let context = Context::Root(Rc::new(RefCell::new(state)));
        let id = self.state(|state| state.add_context(context));
        let root = Root { vm: self.clone(), id };
        self.0.call::<_, ()>("proxy_on_context_create", id, (id, 0));
        let size = self.state(|state| state.options.vm_configuration.len());
        root.accepted("proxy_on_vm_start", size)?;
        root.accepted("proxy_on_configure", configuration.as_ref().len())?;
        Ok(root)
    }

    /// Makes a host call answer that status from now on, without doing anything else.
    pub fn fail_call(&self, call: &str, status: Status) {
        let call = known_call(call);
        self.state(|state| state.forced.insert(call, status));
    }

    /// Undoes [`Vm::fail_call`].
    pub fn restore_call(&self, call: &str) {
        let call = known_call(call);
        self.state(|state| state.forced.remove(call));
    }

    /// How often the plugin made a host call, failed ones included.
    pub fn calls(&self, call: &str) -> u64 {
        let call = known_call(call);
        self.state(|state| state.calls.get(call).copied().unwrap_or(0))
    }

    /// How `verify_signature` behaves from now on.
    pub fn set_verify_signature(&self, mode: VerifySignature) {
        self.state(|state| state.verify_signature = mode);
    }

    /// The callouts that are under way, oldest first.
    pub fn pending_callouts(&self) -> Vec<Callout> {
        self.state(|state| state.pending.callouts().cloned().collect())
    }

    /// What the plugin logged.
    pub fn log(&self) -> Vec<LogLine> {
        self.state(|state| state.log.clone())
    }

    /// What the plugin logged since the last time.
    pub fn take_log(&self) -> Vec<LogLine> {
        self.state(|state| std::mem::take(&mut state.log))
    }

    /// The messages at that level or above.
    pub fn log_at_least(&self, level: LogLevel) -> Vec<String> {
        self.log().into_iter().filter(|line| line.level >= level).map(|line| line.message).collect()
    }

    /// The instructions that all callbacks have taken so far: the same in every run, whatever the machine does.
    pub fn fuel(&self) -> u64 {
        self.0.fuel.get()
    }

    /// The size of the VM's linear memory, which never shrinks.
    pub fn memory_bytes(&self) -> usize {
        let store = self.0.store.borrow();
        store.data().memory.map_or(0, |memory| memory.data_size(&*store))
    }

    /// The violations so far, which then do not fail the test any more.
    pub fn take_violations(&self) -> Vec<Violation> {
        self.state(|state| std::mem::take(&mut state.violations))
    }

    /// Panics with the violations so far, if there are any. Dropping the VM does the same.
    pub fn finish(&self) {
        if let Some(report) = self.0.report() {
            panic!("{report}");
        }
    }

    pub(super) fn state<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        access(self.0.store.borrow_mut().data_mut())
    }
}

impl Root {
    /// The VM that it lives in.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// The context's id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The same root context is given another configuration.
    pub fn reconfigure(&self, configuration: impl AsRef<[u8]>) -> Result<(), Refused> {
        let configuration = configuration.as_ref();
        if let Some(root) = self.vm.state(|state| state.root(self.id)) {
            root.borrow_mut().configuration = configuration.to_vec();
        }
        self.accepted("proxy_on_configure", configuration.len())
    }

    /// A request arrives: its context is created and `proxy_on_request_headers` called.
    pub fn request(&self, headers: impl Into<HeaderMap>, end_of_stream: bool) -> Stream {
        let stream = self.open();
        stream.receive_headers(headers.into(), end_of_stream);
        stream
    }

    /// A stream whose request has not come yet, so that a test can set its properties first;
    /// see [`Stream::receive_headers`].
    pub fn open(&self) -> Stream {
        Stream::new(self)
    }

    /// The listener goes away: `proxy_on_done`, and once the plugin is done, `proxy_on_delete`. Answers whether it is.
    pub fn shut_down(self) -> bool {
        let done = self.vm.0.call::<_, i32>("proxy_on_done", self.id, self.id) != Some(0);
        if done {
            self.vm.0.delete_root(self.id);
        } else if let Some(root) = self.vm.state(|state| state.root(self.id)) {
            root.borrow_mut().winding_down = true;
        }
        done
    }

    fn accepted(&self, callback: &'static str, size: usize) -> Result<(), Refused> {
        let size = u32::try_from(size).expect("a configuration of less than 4 GiB");
        match self.vm.0.call::<_, i32>(callback, self.id, (self.id, size)) {
            Some(0) => Err(Refused { root: self.clone(), callback }),
            Some(_) | None => Ok(()),
        }
    }
}

impl fmt::Debug for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vm").field("id", &self.0.id).finish_non_exhaustive()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` answered false; {}", self.callback, self.root.vm.0.shown_log())
    }
}

impl std::error::Error for Refused {}

impl Inner {
    /// Calls an export, if there is one, then does what had to wait for its return. A trap fails the test.
    pub(super) fn call<P: WasmParams, R: WasmResults>(
        &self,
        export: &'static str,
        context: u32,
        parameters: P,
    ) -> Option<R> {
        if !self.plugin.exports(export) {
            return None;
        }
        let result = self.run(export, context, parameters);
        let result = result.unwrap_or_else(|error| self.fail(export, context, &error));
        self.do_deferred();
        Some(result)
    }

    fn run<P: WasmParams, R: WasmResults>(
        &self,
        export: &'static str,
        context: u32,
        parameters: P,
    ) -> wasmtime::Result<R> {
        let store = &mut *self.store.borrow_mut();
        let instance = self.instance.get().expect("the module is instantiated");
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

    fn do_deferred(&self) {
        loop {
            let next = self.store.borrow_mut().data_mut().deferred.pop_front();
            match next {
                None => return,
                Some(Deferred::DeleteRoot(root)) => self.delete_root(root),
                Some(Deferred::Reply(stream)) => {
                    if let Some(exchange) = self.exchange(stream) {
                        flow::send_reply(self, stream, &exchange);
                    }
                }
                Some(Deferred::Resume(stream, direction)) => {
                    if let Some(exchange) = self.exchange(stream) {
                        flow::resume(self, stream, &exchange, direction);
                    }
                }
            }
        }
    }

    fn exchange(&self, stream: u32) -> Option<Rc<RefCell<Exchange>>> {
        match self.store.borrow().data().contexts.get(&stream)? {
            Context::Stream { exchange, .. } => Some(exchange.clone()),
            Context::Root(_) => None,
        }
    }

    fn delete_root(&self, root: u32) {
        self.call::<_, ()>("proxy_on_delete", root, root);
        let mut store = self.store.borrow_mut();
        store.data_mut().contexts.remove(&root);
        store.data_mut().pending.cancel_of(root);
    }

    pub(super) fn state<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        access(self.store.borrow_mut().data_mut())
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
        self.instance.set(Some(instance));
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
    fn report(&self) -> Option<String> {
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

    fn shown_log(&self) -> String {
        let store = self.store.borrow();
        let lines = &store.data().log;
        if lines.is_empty() {
            return "it logged nothing".to_owned();
        }
        let lines = lines.iter().map(|line| format!("\n  [{:?}] {}", line.level, line.message));
        format!("its log:{}", lines.collect::<String>())
    }
}

impl Drop for Inner {
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

fn known_call(call: &str) -> &'static str {
    let known = imports::ENV.iter().chain(imports::WASI);
    let found = known.copied().find(|known| *known == call);
    found.unwrap_or_else(|| panic!("there is no host call `{call}`: expected a name such as `proxy_http_call`"))
}
