//! Which planes of a tensor share statistics and which are coded as differences, decided from histograms in one pass.

use half::f16;
use pco::DeltaSpec;
use std::sync::OnceLock;

/// A number as an unsigned integer of the same order, its 16 highest bits kept: all that the estimate needs.
pub(crate) trait Ordered: Copy {
    fn ordered_high(self) -> u16;
}

fn order_signed(bits: u32) -> u32 {
    if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    }
}

impl Ordered for u16 {
    fn ordered_high(self) -> u16 {
        self
    }
}

impl Ordered for f16 {
    fn ordered_high(self) -> u16 {
        (order_signed(u32::from(self.to_bits()) << 16) >> 16) as u16
    }
}

impl Ordered for f32 {
    fn ordered_high(self) -> u16 {
        (order_signed(self.to_bits()) >> 16) as u16
    }
}

/// 16 values a cell: fine enough for the differences of bf16, coarse enough for a plane of some thousand numbers.
const CELL_BITS: u32 = 4;
const CELLS: usize = 1 << (16 - CELL_BITS);

/// What a chunk's own tables cost, measured on 16-bit types at level 8.
const CHUNK_OVERHEAD_BITS: f64 = 800.0;

/// Below this many bits a number, differences are not worth their slower decoding.
const LEAST_GAIN_BITS: f64 = 0.01;

/// A chunk's count has 24 bits.
const MAX_CHUNK: usize = 1 << 24;

/// Counts up to this have n * log2(n) in a table: a logarithm costs more than all else here.
const TABLE: usize = 1 << 12;

fn n_log_n(count: u32, table: &[f64]) -> f64 {
    match table.get(count as usize) {
        Some(&value) => value,
        None => f64::from(count) * f64::from(count).log2(),
    }
}

fn logarithms() -> &'static [f64] {
    static LOGARITHMS: OnceLock<Vec<f64>> = OnceLock::new();
    LOGARITHMS.get_or_init(|| (0..TABLE as u32).map(|n| if n == 0 { 0.0 } else { f64::from(n) * f64::from(n).log2() }).collect())
}

#[derive(Clone)]
struct Counts([u32; CELLS]);

impl Counts {
    fn new() -> Box<Self> {
        Box::new(Self([0; CELLS]))
    }

    fn add(&mut self, value: u16) {
        self.0[usize::from(value >> CELL_BITS)] += 1;
    }

    fn merge(&mut self, other: &Self) {
        for (sum, &count) in self.0.iter_mut().zip(&other.0) {
            *sum += count;
        }
    }

    /// Bits for all numbers, within a cell equally likely; Miller and Madow's correction for short samples.
    fn bits(&self) -> f64 {
        let table = logarithms();
        let mut total = 0_u64;
        let mut occupied = 0_u32;
        let mut sum = 0.0;
        for &count in &self.0 {
            if count > 0 {
                total += u64::from(count);
                occupied += 1;
                sum += n_log_n(count, table);
            }
        }
        if total == 0 {
            return 0.0;
        }
        let total = total as f64;
        let correction = f64::from(occupied - 1) / (2.0 * std::f64::consts::LN_2);
        total * total.log2() - sum + correction + f64::from(CELL_BITS) * total
    }
}

struct Plane {
    values: Box<Counts>,
    differences: Box<Counts>,
    length: usize,
}

fn count<T: Ordered>(plane: &[T]) -> Plane {
    let (mut values, mut differences) = (Counts::new(), Counts::new());
    let mut previous = plane.first().map_or(0, |first| first.ordered_high());
    for number in plane {
        let value = number.ordered_high();
        values.add(value);
        differences.add(value.wrapping_sub(previous).wrapping_add(1 << 15));
        previous = value;
    }
    Plane { values, differences, length: plane.len() }
}

pub(crate) struct Chunk {
    pub(crate) length: usize,
    pub(crate) delta: DeltaSpec,
}

/// The cheaper of values and differences, with its cost.
fn cheaper(plane: &Plane) -> (f64, bool) {
    let (plain, differences) = (plane.values.bits(), plane.differences.bits());
    let gain = (plain - differences) / plane.length as f64;
    if gain > LEAST_GAIN_BITS {
        (differences, true)
    } else {
        (plain, false)
    }
}

/// Walks the planes in order; one joins the chunk before it where common tables cost less than tables of its own.
pub(crate) fn plan<T: Ordered>(numbers: &[T], plane_length: usize) -> Vec<Chunk> {
    let mut open: Vec<(Plane, f64, bool)> = Vec::new();
    for part in numbers.chunks(plane_length.clamp(1, MAX_CHUNK)) {
        let plane = count(part);
        let (own, by_difference) = cheaper(&plane);
        if let Some((last, cost, _)) = open.last_mut() {
            if last.length + plane.length <= MAX_CHUNK {
                let mut joined = Plane {
                    values: last.values.clone(),
                    differences: last.differences.clone(),
                    length: last.length + plane.length,
                };
                joined.values.merge(&plane.values);
                joined.differences.merge(&plane.differences);
                let (together, joined_by_difference) = cheaper(&joined);
                if together < *cost + own + CHUNK_OVERHEAD_BITS {
                    let count = open.len();
                    open[count - 1] = (joined, together, joined_by_difference);
                    continue;
                }
            }
        }
        open.push((plane, own, by_difference));
    }
    let delta = |by_difference| if by_difference { DeltaSpec::TryConsecutive(1) } else { DeltaSpec::NoOp };
    open.into_iter()
        .map(|(plane, _, by_difference)| Chunk { length: plane.length, delta: delta(by_difference) })
        .collect()
}
