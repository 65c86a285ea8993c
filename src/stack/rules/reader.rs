//! From the bytes of a module's unwind tables to a rule. Only slices and numbers: whatever they hold, the answer is a rule or
//! that there is none.

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EndianSlice, LittleEndian, Register, RegisterRule, UnwindContext,
    UnwindContextStorage, UnwindSection, UnwindTableRow, X86_64,
};

use super::rule::{Base, Rule};

/// The unwind tables of one module, with the addresses at which they are loaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables<'a> {
    /// `.eh_frame_hdr`: the sorted index.
    pub(super) index: &'a [u8],
    pub(super) index_address: usize,
    /// `.eh_frame`, and perhaps what lies behind it.
    pub(super) frames: &'a [u8],
    pub(super) frames_address: usize,
}

/// Why there is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRule {
    /// No function of the module has this address.
    NoFunction,
    /// The tables are damaged, or in a form that is not read here.
    Unreadable,
    /// It is there, and is none that a packed rule can hold: a signal's frame, a DWARF expression, a third register.
    NotSimple,
}

/// The head of an index: version 1, then three bytes that say how the rest is encoded. This is the form that every linker
/// writes: the tables' place as a signed distance from here, the count as a number, pairs of signed distances from the head.
const INDEX_HEAD: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
/// The head, the tables' place and the count.
const INDEX_START: usize = 12;
/// Function and entry, four bytes each.
const INDEX_ROW: usize = 8;

/// Room for the rules of one place in a function, in fixed arrays: reading allocates nothing, so that it may happen below an
/// allocator. About 5 KiB of stack. There are 17 registers; who has rules for more is not a function of a compiler's.
#[derive(Debug)]
struct Fixed;

impl UnwindContextStorage<usize> for Fixed {
    type Rules = [(Register, RegisterRule<usize>); 32];
    type Stack = [UnwindTableRow<usize, Fixed>; 4];
}

impl Tables<'_> {
    /// Where the tables of an index are loaded, if it is one that is read here.
    pub(super) fn frames_address_in(index: &[u8], index_address: usize) -> Option<usize> {
        let place = index.strip_prefix(&INDEX_HEAD)?.first_chunk()?;
        // Counted from the field itself, the fifth byte.
        Some(index_address.wrapping_add(INDEX_HEAD.len()).wrapping_add_signed(i32::from_le_bytes(*place) as isize))
    }

    /// The rule in force at `address`, which lies within a call: one below the return address.
    ///
    /// # Cost
    /// About 3 us. No allocation, no lock, and no more time than the function's entry is long.
    pub(super) fn rule_at(&self, address: usize) -> Result<Rule, NoRule> {
        let entry = self.entry_near(address)?;
        let bases = BaseAddresses::default().set_eh_frame(self.frames_address as u64);
        let mut frames = EhFrame::new(self.frames, LittleEndian);
        frames.set_address_size(size_of::<usize>() as u8);
        let parse_parent = EhFrame::<EndianSlice<'_, LittleEndian>>::cie_from_offset;
        let function = frames.fde_from_offset(&bases, entry.into(), parse_parent).map_err(|_| NoRule::Unreadable)?;
        if !function.contains(address as u64) {
            return Err(NoRule::NoFunction);
        }
        if function.is_signal_trampoline() || function.cie().return_address_register() != X86_64::RA {
            return Err(NoRule::NotSimple);
        }
        let mut context = UnwindContext::<usize, Fixed>::new_in();
        let row = function
            .unwind_info_for_address(&frames, &bases, &mut context, address as u64)
            .map_err(|_| NoRule::Unreadable)?;
        rule_of(row).ok_or(NoRule::NotSimple)
    }

    /// Where in `.eh_frame` the entry is of the last function that begins at or below `address`.
    fn entry_near(&self, address: usize) -> Result<usize, NoRule> {
        let count = self.index.get(8..INDEX_START).and_then(<[u8]>::first_chunk).ok_or(NoRule::Unreadable)?;
        let count = u32::from_le_bytes(*count) as usize;
        let rows = self.index.get(INDEX_START..).and_then(|rows| rows.get(..count * INDEX_ROW));
        let rows = rows.ok_or(NoRule::Unreadable)?;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.absolute(rows, middle * INDEX_ROW).ok_or(NoRule::Unreadable)? <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let last = low.checked_sub(1).ok_or(NoRule::NoFunction)?;
        let entry = self.absolute(rows, last * INDEX_ROW + 4).ok_or(NoRule::Unreadable)?;
        entry.checked_sub(self.frames_address).ok_or(NoRule::Unreadable)
    }

    /// The address that four bytes of the index stand for.
    fn absolute(&self, rows: &[u8], at: usize) -> Option<usize> {
        let distance = i32::from_le_bytes(*rows.get(at..)?.first_chunk()?);
        Some(self.index_address.wrapping_add_signed(distance as isize))
    }
}

/// What a row says of the three registers that a walk follows. `None` if it is more than a packed rule can hold.
fn rule_of(row: &UnwindTableRow<usize, Fixed>) -> Option<Rule> {
    let below_end = |rule: RegisterRule<usize>| match rule {
        RegisterRule::Offset(offset) => u32::try_from(offset.checked_neg()?).ok(),
        _ => None,
    };
    match row.register(X86_64::RA)? {
        RegisterRule::Undefined => return Some(Rule::End),
        rule if below_end(rule.clone()) == Some(8) => {}
        _ => return None,
    }
    let CfaRule::RegisterAndOffset { register, offset } = *row.cfa() else { return None };
    let base = match register {
        X86_64::RSP => Base::Stack,
        X86_64::RBP => Base::Frame,
        _ => return None,
    };
    let saved = match row.register(X86_64::RBP) {
        // Not mentioned, or expressly the same: the function has not touched it.
        None | Some(RegisterRule::SameValue) => 0,
        // 0 would be taken for "not saved"; at the frame's end there is nothing of the function's.
        Some(rule) => below_end(rule).filter(|&saved| saved != 0)?,
    };
    // What is restored from above the frame's end, or moved it, is no compiled function's.
    let moves_stack = row.register(X86_64::RSP).is_some();
    (!moves_stack).then_some(Rule::Caller { base, end: u32::try_from(offset).ok()?, saved })
}
