//! How many rows each table gets.

use rowstorm_schema::Schema;

/// The rows of each table in the document's order: a total shared out as the `preload`s, or the `preload`s themselves.
/// In a share, a table without one counts like the mean of the others.
pub(super) fn rows(schema: &Schema, total: Option<u64>) -> Vec<Option<u64>> {
    let preloads: Vec<_> = schema.tables.values().map(|table| table.preload).collect();
    let Some(total) = total else { return preloads };
    let given: Vec<u64> = preloads.iter().copied().flatten().collect();
    let sum: u128 = given.iter().copied().map(u128::from).sum();
    let mean = if sum == 0 { 1 } else { (sum / given.len() as u128).max(1) };
    let weights: Vec<u128> = if sum == 0 {
        vec![1; preloads.len()]
    } else {
        preloads.iter().map(|preload| preload.map_or(mean, u128::from)).collect()
    };
    let whole: u128 = weights.iter().sum();
    // Cut one line of rows at the weights' sums: the shares add up to the total exactly.
    let mut before = 0;
    weights
        .iter()
        .map(|weight| {
            let cut = |at: u128| (u128::from(total).saturating_mul(at) / whole) as u64;
            let share = cut(before + weight) - cut(before);
            before += weight;
            Some(share)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rowstorm_schema::Table;

    fn shares(preloads: &[Option<u64>], total: Option<u64>) -> Vec<Option<u64>> {
        let tables = preloads
            .iter()
            .enumerate()
            .map(|(at, preload)| {
                (format!("t{at}"), Table { preload: *preload, ..Table::default() })
            })
            .collect();
        let schema = Schema {
            version: 1,
            tables,
            changes: None,
            run: None,
            profiles: indexmap::IndexMap::new(),
        };
        rows(&schema, total)
    }

    #[test]
    fn a_total_is_shared_out_as_the_preloads() {
        assert_eq!(shares(&[Some(100), Some(500)], Some(60)), [Some(10), Some(50)]);
        assert_eq!(shares(&[None, None, None], Some(10)), [Some(3), Some(3), Some(4)]);
        assert_eq!(shares(&[Some(30), None, Some(10)], Some(6)), [Some(3), Some(2), Some(1)]);
    }

    #[test]
    fn without_a_total_each_table_has_its_preload() {
        assert_eq!(shares(&[Some(7), None], None), [Some(7), None]);
    }
}
