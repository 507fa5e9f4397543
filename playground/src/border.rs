//! The border to the page: texts in and out through the module's memory.
//!
//! The page makes room by `question`, writes its question there, calls `answer`, and reads `answer_length` octets from
//! where that says. Nothing is imported: the module has no clock, no randomness and no way out.
#![expect(unsafe_code, reason = "exported names are outside the compiler's sight; no other crate has these")]

use std::cell::RefCell;

thread_local! {
    static QUESTION: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes room for a question.
#[unsafe(no_mangle)]
extern "C" fn question(length: usize) -> *mut u8 {
    QUESTION.with_borrow_mut(|question| {
        question.clear();
        question.resize(length, 0);
        question.as_mut_ptr()
    })
}

/// Answers the question that was written.
#[unsafe(no_mangle)]
extern "C" fn answer() -> *const u8 {
    let text = QUESTION.with_borrow(|question| crate::answer::answer(&String::from_utf8_lossy(question)));
    ANSWER.with_borrow_mut(|answer| {
        *answer = text;
        answer.as_ptr()
    })
}

/// How long the answer is.
#[unsafe(no_mangle)]
extern "C" fn answer_length() -> usize {
    ANSWER.with_borrow(String::len)
}
