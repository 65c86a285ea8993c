//! Where a walk begins, and how it reads: the two things that only assembly can do.
#![allow(unsafe_code, reason = "reads registers and words of a stack by assembly; listed in docs/SAFETY.md")]

use std::arch::asm;

/// The registers of a function at one place in it.
#[derive(Clone, Copy, Debug)]
pub(in crate::stack) struct Registers {
    /// The address behind that place, as if it were a return address.
    pub(in crate::stack) address: usize,
    /// The stack pointer.
    pub(in crate::stack) stack: usize,
    /// The frame register: `rbp`, `x29`.
    pub(in crate::stack) frame: usize,
}

impl Registers {
    /// Those of the caller, into which this is always inlined: its frame is the first of the walk, which has to be made before
    /// the caller returns. Made later it would be of other frames.
    #[inline(always)]
    pub(in crate::stack) fn here() -> Registers {
        let (address, stack, frame);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: copies three registers into others and changes nothing else. None of the others is `rbp` or `rsp`, which
        // the compiler never gives out.
        unsafe {
            asm!(
                "mov {frame}, rbp", "mov {stack}, rsp", "lea {address}, [rip]",
                frame = out(reg) frame, stack = out(reg) stack, address = out(reg) address,
                options(nomem, nostack, preserves_flags),
            );
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above, for `x29` and `sp`.
        unsafe {
            asm!(
                "mov {frame}, x29", "mov {stack}, sp", "adr {address}, 2f", "2:",
                frame = out(reg) frame, stack = out(reg) stack, address = out(reg) address,
                options(nomem, nostack, preserves_flags),
            );
        }
        Registers { address, stack, frame }
    }
}

/// The word that lies so many words from `address`.
///
/// By assembly, since what is read belongs to frames of other functions, of which the compiler knows nothing: to it, and to
/// AddressSanitizer, which watches what it compiles, a plain read of them is a mistake.
///
/// # Safety
/// The eight bytes there are mapped.
#[inline(always)]
pub(in crate::stack) unsafe fn load(address: usize, words: isize) -> usize {
    let word;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: one read of mapped memory, as the caller promises.
    unsafe {
        asm!("mov {word}, [{address} + 8 * {words}]", word = out(reg) word, address = in(reg) address, words = in(reg) words,
            options(readonly, nostack, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!("ldr {word}, [{address}, {words}, lsl 3]", word = out(reg) word, address = in(reg) address, words = in(reg) words,
            options(readonly, nostack, preserves_flags));
    }
    word
}

/// The word right below `address`. As [`load`], in one instruction.
///
/// # Safety
/// The eight bytes there are mapped.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(in crate::stack) unsafe fn load_below(address: usize) -> usize {
    let word;
    // SAFETY: one read of mapped memory, as the caller promises.
    unsafe {
        asm!("mov {word}, [{address} - 8]", word = out(reg) word, address = in(reg) address,
            options(readonly, nostack, preserves_flags));
    }
    word
}

/// A return address without what pointer authentication has put into its upper bits.
#[inline(always)]
pub(in crate::stack) fn without_signature(address: usize) -> usize {
    #[cfg(target_arch = "aarch64")]
    {
        let plain;
        // SAFETY: `xpaclri`, by its number, which processors without authentication take for nothing: changes `x30` alone.
        unsafe {
            asm!("hint #7", inlateout("x30") address => plain, options(pure, nomem, nostack, preserves_flags));
        }
        plain
    }
    #[cfg(not(target_arch = "aarch64"))]
    address
}
