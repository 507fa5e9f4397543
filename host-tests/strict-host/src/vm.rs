//! A VM and its root contexts in the hands of a test.

use crate::callout::Callout;
use crate::flow::{call, delete_root};
use crate::headers::HeaderMap;
use crate::imports::names;
use crate::instance::Instance;
use crate::log::{LogLevel, LogLine};
use crate::options::VmOptions;
use crate::plugin::Plugin;
use crate::signature::VerifySignature;
use crate::state::{Context, RootState, State, Violation, World};
use crate::status::Status;
use crate::stream::Stream;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// A VM, as Envoy has one per worker. Clones are the same VM.
///
/// A trap in any callback panics with the log, and so does dropping the last clone while it holds violations that
/// nobody took: no test can miss either.
#[derive(Clone)]
pub struct Vm(pub(crate) Rc<Instance>);

/// A root context: one configuration of the plugin in one VM.
#[derive(Clone, Debug)]
pub struct Root {
    pub(crate) vm: Vm,
    pub(crate) id: u32,
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
    pub(crate) fn new(id: u32, plugin: &Plugin, world: World, options: VmOptions) -> Self {
        let vm = Self(Rc::new(Instance::new(id, plugin, world, options)));
        let initialize = if plugin.exports("_initialize") { "_initialize" } else { "_start" };
        call::<(), ()>(&vm.0, initialize, 0, ());
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
        call::<_, ()>(&self.0, "proxy_on_context_create", id, (id, 0));
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

    /// How many host calls the plugin made, failed ones included.
    pub fn all_calls(&self) -> u64 {
        self.state(|state| state.calls.values().sum())
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
        self.0.fuel()
    }

    /// The size of the VM's linear memory, which never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
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

    pub(crate) fn state<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        self.0.state(access)
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
        Stream::new(&self.vm.0, self.id)
    }

    /// The listener goes away: `proxy_on_done`, and once the plugin is done, `proxy_on_delete`. Answers whether it is.
    pub fn shut_down(self) -> bool {
        let done = call::<_, i32>(&self.vm.0, "proxy_on_done", self.id, self.id) != Some(0);
        if done {
            delete_root(&self.vm.0, self.id);
        } else if let Some(root) = self.vm.state(|state| state.root(self.id)) {
            root.borrow_mut().winding_down = true;
        }
        done
    }

    fn accepted(&self, callback: &'static str, size: usize) -> Result<(), Refused> {
        let size = u32::try_from(size).expect("a configuration of less than 4 GiB");
        match call::<_, i32>(&self.vm.0, callback, self.id, (self.id, size)) {
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

fn known_call(call: &str) -> &'static str {
    let known = names::ENV.iter().chain(names::WASI);
    let found = known.copied().find(|known| *known == call);
    found.unwrap_or_else(|| panic!("there is no host call `{call}`: expected a name such as `proxy_http_call`"))
}
