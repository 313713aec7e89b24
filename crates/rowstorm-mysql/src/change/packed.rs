//! Several transactions in one packet: the server does them in order, each by itself, and answers each. It stops at the first that
//! fails; what stands behind it goes in the next packet.

use rowstorm_sink::{Answers, Attempt, Change, Changer as _, End, SinkError, Transaction};

use super::bulk;
use super::mix::Mix;
use super::script::{BEGIN, Said, surprised, words};
use super::{Failure, Lane, MysqlChanger, count};

impl MysqlChanger {
    /// Does transactions, as many in a packet as may be.
    pub(super) async fn each(
        &mut self,
        transactions: &[&[Change<'_>]],
        answered: Answers<'_>,
    ) -> Result<(), SinkError> {
        let mut left = transactions;
        while let Some(first) = left.first() {
            let mut lane = self.lane().await?;
            if let Some(updates) = bulk::parameters(&lane, &mut self.mix, left) {
                return self.bulk(lane, updates, left, answered).await;
            }
            let together = lane.pack(&mut self.mix, left);
            if together < 2 {
                self.lane = Some(lane);
                answered(self.change(Transaction::once(first)).await?);
                left = &left[1..];
                continue;
            }
            let (done, sent) = lane.send_packed(&self.mix, &left[..together], answered).await;
            left = &left[done..];
            match (sent, left.first()) {
                (Err(failure), Some(failed)) => {
                    answered(self.undo(lane, failure, failed, Attempt::First).await?);
                    left = &left[1..];
                }
                (Ok(()) | Err(_), _) => self.lane = Some(lane),
            }
        }
        Ok(())
    }
}

impl Lane {
    /// Words as many transactions as one packet takes. None that goes statement by statement.
    fn pack(&self, mix: &mut Mix, transactions: &[&[Change<'_>]]) -> usize {
        mix.script.clear();
        if self.is_coarse {
            return 0;
        }
        for (at, groups) in transactions.iter().enumerate() {
            let before = mix.script.mark();
            let is_quiet = groups.iter().all(|group| self.is_quiet[group.statement]);
            if !is_quiet || !self.word(mix, groups) || mix.script.bytes() > self.bytes_max {
                mix.script.back_to(before);
                return at;
            }
            mix.script.close();
        }
        transactions.len()
    }

    /// Words one transaction: a statement by itself needs nothing around it. `false` if it has to go statement by statement.
    fn word(&self, mix: &mut Mix, groups: &[Change<'_>]) -> bool {
        let before = mix.script.mark();
        if let [group] = groups {
            if mix.add(0, group, self.bytes_max) {
                return false;
            }
            if mix.script.len() == before.0 + 1 {
                return true;
            }
            mix.script.back_to(before);
        }
        mix.script.push(BEGIN);
        let may_be_cut = (0..).zip(groups).any(|(at, group)| mix.add(at, group, self.bytes_max));
        mix.script.push(words(End::Commit));
        !may_be_cut
    }

    /// Sends what was packed. How many transactions were answered, and why the next one was not.
    async fn send_packed(
        &mut self,
        mix: &Mix,
        transactions: &[&[Change<'_>]],
        answered: Answers<'_>,
    ) -> (usize, Result<(), Failure>) {
        let script = &mix.script;
        let (mut done, mut wrong) = (0, None);
        let mut found = vec![0; transactions[0].len()];
        let heard = |step, said: Said| {
            if wrong.is_some() {
                return;
            }
            if let Some(group) = script.group(step) {
                found[group] += said.found;
                if said.warnings > 0 {
                    wrong = Some(surprised(true));
                    return;
                }
            }
            if !script.is_last(step) {
                return;
            }
            match count(&mix.statements, transactions[done], &found) {
                Ok(changed) => answered(changed),
                Err(error) => {
                    wrong = Some(error);
                    return;
                }
            }
            done += 1;
            found.clear();
            found.resize(transactions.get(done).map_or(0, |next| next.len()), 0);
        };
        // Each is committed as the server comes to it.
        self.is_ending = true;
        let sent = script.send(0..script.len(), &mut self.connection, heard).await;
        if let Some(error) = wrong {
            return (done, Err(error.into()));
        }
        if let Err(error) = sent {
            return (done, Err(error.into()));
        }
        self.is_ending = false;
        (done, Ok(()))
    }
}
