#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::shared::SharedValue;

const NOW: Duration = Duration::from_secs(1_700_000_000);

/// Shared data in which others write between a read and a write, so many times.
#[derive(Default)]
struct Store {
    values: BTreeMap<String, SharedValue>,
    others: usize,
    is_there: bool,
}

impl Store {
    fn new() -> Self {
        Self { is_there: true, ..Self::default() }
    }
}

impl SharedData for Store {
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError> {
        if self.is_there { Ok(self.values.get(name).cloned()) } else { Err(SharedDataError::Unavailable) }
    }

    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError> {
        if self.others > 0 {
            self.others -= 1;
            return Err(SharedDataError::Changed);
        }
        let known = self.values.get(name).map(|value| value.version);
        if known != version {
            return Err(SharedDataError::Changed);
        }
        let value = SharedValue { bytes: value.to_vec(), version: known.unwrap_or_default() + 1 };
        self.values.insert(name.to_string(), value);
        Ok(())
    }
}

fn name() -> SharedName {
    SharedName::of_proofs("secret")
}

fn proof(number: u32) -> FreshProof {
    FreshProof::new([0; 32], &[1; 32], &number.to_string(), NOW + Duration::from_mins(1))
}

fn recorded(store: &mut Store, proof: &FreshProof, now: Duration) -> ProofUse {
    record(&name(), store, &mut OwnProofs::default(), proof, now)
}

#[test]
fn a_proof_is_used_once_whichever_vm_sees_it() {
    let mut store = Store::new();
    assert_eq!(recorded(&mut store, &proof(1), NOW), ProofUse::First);
    assert_eq!(recorded(&mut store, &proof(1), NOW), ProofUse::Again);
    assert_eq!(recorded(&mut store, &proof(2), NOW), ProofUse::First);
    let other_key = FreshProof::new([0; 32], &[2; 32], "1", NOW + Duration::from_mins(1));
    assert_eq!(recorded(&mut store, &other_key, NOW), ProofUse::First);
    assert_eq!(recorded(&mut store, &proof(1), NOW + Duration::from_secs(59)), ProofUse::Again);
}

#[test]
fn who_is_written_over_tries_again_and_in_the_end_refuses() {
    let mut store = Store { others: TRIES - 1, ..Store::new() };
    assert_eq!(recorded(&mut store, &proof(1), NOW), ProofUse::First);
    store.others = TRIES;
    assert_eq!(recorded(&mut store, &proof(2), NOW), ProofUse::NoRoom);
    store.others = 0;
    assert_eq!(recorded(&mut store, &proof(1), NOW), ProofUse::Again);
}

#[test]
fn without_shared_data_each_vm_remembers_its_own() {
    let (mut store, mut own) = (Store::default(), OwnProofs::default());
    let mut recorded = |proof: &FreshProof, now| record(&name(), &mut store, &mut own, proof, now);
    assert_eq!(recorded(&proof(1), NOW), ProofUse::First);
    assert_eq!(recorded(&proof(1), NOW), ProofUse::Again);
    for number in 2..=u32::try_from(MOST_OWN).expect("fits") {
        assert_eq!(recorded(&proof(number), NOW), ProofUse::First);
    }
    assert_eq!(recorded(&proof(0), NOW), ProofUse::NoRoom);
    assert_eq!(recorded(&proof(0), NOW + Duration::from_mins(1)), ProofUse::First, "the others have ended");
}

/// Proofs that fall on the slot of the first.
fn of_one_slot(count: usize) -> Vec<FreshProof> {
    let name = name();
    let slot = |proof: &FreshProof| place(&name.code(&proof.id)).0;
    let wanted = slot(&proof(0));
    (0..).map(proof).filter(|proof| slot(proof) == wanted).take(count).collect()
}

#[test]
fn a_full_slot_takes_no_more_until_some_have_ended() {
    let mut store = Store::new();
    let proofs = of_one_slot(MOST + 1);
    let (last, proofs) = proofs.split_last().expect("are some");
    for proof in proofs {
        assert_eq!(recorded(&mut store, proof, NOW), ProofUse::First);
    }
    assert_eq!(store.values.len(), 1);
    assert_eq!(recorded(&mut store, last, NOW), ProofUse::NoRoom);
    assert_eq!(recorded(&mut store, &proofs[0], NOW), ProofUse::Again);
    assert_eq!(recorded(&mut store, last, NOW + Duration::from_mins(1)), ProofUse::First);
    let octets = store.values.values().map(|value| value.bytes.len()).max();
    assert_eq!(octets, Some(32 + 2 + RECORD), "what has ended goes");
}

#[test]
fn what_others_wrote_there_counts_as_nothing() {
    let mut store = Store::new();
    recorded(&mut store, &proof(1), NOW);
    let (entry, sealed) =
        store.values.iter().next().map(|(name, value)| (name.clone(), value.clone())).expect("is there");
    let (slot, tag) = place(&name().code(&proof(2).id));
    let forged = encode(&[(tag, NOW + Duration::from_mins(1))], slot);
    for bytes in [forged.clone(), SharedName::of_proofs("other").seal(&forged), vec![], sealed.bytes.clone()] {
        let target = [name().as_str(), ".", &slot.to_string()].concat();
        store.values.insert(target, SharedValue { bytes, version: 9 });
        assert_eq!(recorded(&mut store, &proof(2), NOW), ProofUse::First);
    }
    assert!(entry.starts_with("jotgate.proofs."));
}
