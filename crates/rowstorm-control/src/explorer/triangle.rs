//! Cholesky's factor of a small symmetric matrix: solves its equations, and tells what they leave open.

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Triangle<const N: usize>([[f64; N]; N]);

impl<const N: usize> Triangle<N> {
    /// The factor of the matrix whose lower triangle is given; `None` if that is not positive definite.
    pub(super) fn of(matrix: &[[f64; N]; N]) -> Option<Triangle<N>> {
        let mut factor = [[0.0; N]; N];
        for row in 0..N {
            for column in 0..=row {
                let done: f64 = (0..column).map(|at| factor[row][at] * factor[column][at]).sum();
                let left = matrix[row][column] - done;
                factor[row][column] = match row == column {
                    true if left > 0.0 => left.sqrt(),
                    true => return None,
                    false => left / factor[column][column],
                };
            }
        }
        Some(Triangle(factor))
    }

    /// The vector that the matrix turns into this one.
    pub(super) fn solve(&self, sums: &[f64; N]) -> [f64; N] {
        let mut forward = [0.0; N];
        for row in 0..N {
            let done: f64 = (0..row).map(|at| self.0[row][at] * forward[at]).sum();
            forward[row] = (sums[row] - done) / self.0[row][row];
        }
        self.back(&forward)
    }

    fn back(&self, sums: &[f64; N]) -> [f64; N] {
        let mut solved = [0.0; N];
        for row in (0..N).rev() {
            let done: f64 = (row + 1..N).map(|at| self.0[at][row] * solved[at]).sum();
            solved[row] = (sums[row] - done) / self.0[row][row];
        }
        solved
    }

    /// Where the matrix is what is known of numbers: ways in which they may be off together, each by one standard error.
    pub(super) fn ways(&self) -> [[f64; N]; N] {
        std::array::from_fn(|way| {
            let mut unit = [0.0; N];
            unit[way] = 1.0;
            self.back(&unit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_solves_and_tells_what_is_not_known() {
        let triangle = Triangle::of(&[[4.0, 0.0], [2.0, 5.0]]).unwrap();
        let [left, right] = triangle.solve(&[8.0, 12.0]);
        assert!((left - 1.0).abs() < 1e-12 && (right - 2.0).abs() < 1e-12);
        // Together the ways make the inverse: 5, -2, 4 over 4 · 5 − 2 · 2.
        let ways = triangle.ways();
        let sum =
            |row: usize, column: usize| ways.iter().map(|way| way[row] * way[column]).sum::<f64>();
        assert!((sum(0, 0) - 5.0 / 16.0).abs() < 1e-12);
        assert!((sum(0, 1) + 2.0 / 16.0).abs() < 1e-12);
        assert!((sum(1, 1) - 4.0 / 16.0).abs() < 1e-12);
        assert_eq!(Triangle::of(&[[1.0, 0.0], [2.0, 1.0]]), None);
    }
}
