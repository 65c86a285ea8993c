//! The rows about the pool.

use crate::figures::{Figures, shown};
use crate::lines::Line;

pub(crate) fn lines(f: &Figures) -> Vec<Line> {
    let mut lines = Vec::new();
    let (ours, floor) = (f.of("POOLED instructions"), f.of("BYTESMUT instructions"));
    for (what, name, floor_name, counted) in [
        (
            "buffer of 4096 B, pooled, no detector",
            "pooled",
            "BytesMut",
            format!("; {} instructions (BytesMut {})", shown(ours), shown(floor)),
        ),
        ("buffer of 65,536 B, pooled, no detector", "pooled 64 KiB", "BytesMut 64 KiB", String::new()),
    ] {
        let ratio = f.ratio(name, floor_name);
        lines.push(
            Line::new(what, format!("{}{counted}", shown(f.of(name))))
                .against(format!("{ratio:.2} x BytesMut of that size"))
                .goal("at most 1.15 x BytesMut", ratio <= 1.15, "two atomic exchanges of the cache's bit"),
        );
    }
    let ratio = f.ratio("pooled 2 threads", "pooled 1 thread");
    lines.push(
        Line::new(
            "the same of 4096 B, 2 threads on one pool",
            format!("{} (1 thread: {})", shown(f.of("pooled 2 threads")), shown(f.of("pooled 1 thread"))),
        )
        .against(format!("x{ratio:.2}"))
        .goal("at most x1.15", ratio <= 1.15, "no reason is known yet"),
    );
    let over = f.of("DISABLED pooled") - f.of("pooled");
    lines.push(
        Line::new("the same through `LeakAware`, DISABLED", shown(f.of("DISABLED pooled")))
            .against(format!("{over:+.1}"))
            .goal("at most +3 ns", over <= 3.0, "no reason is known yet"),
    );
    for level in ["SIMPLE", "ADVANCED", "PARANOID"] {
        let name = format!("{level} pooled");
        lines.push(
            Line::new(&format!("the same through `LeakAware`, {level}, 30 frames"), shown(f.of(&name)))
                .against(format!("+{}", shown(f.of(&name) - f.of("pooled")))),
        );
    }
    lines.push(
        Line::new("buffer of 256 B, pooled, no detector", shown(f.of("pooled 256 B")))
            .against("Netty 4.1.48, pooled: 31 to 40"),
    );
    lines
}
