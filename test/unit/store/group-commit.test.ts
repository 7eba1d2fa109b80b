import { describe, expect, it } from "vitest";
import type { GatheredBatch } from "../../../src/store/batch.ts";
import { GroupCommit } from "../../../src/store/group-commit.ts";
import type { Batch, BatchSource } from "../../../src/store/store.ts";
import { segment } from "../../support/store.ts";

/** A group commit whose turns, delays and writes end when the test says so. */
function driven(): {
  commits: GroupCommit;
  written: GatheredBatch[];
  turn: () => void;
  delays: { step: () => void; ms: number }[];
  pass: () => void;
} {
  const turns: (() => void)[] = [];
  const delays: { step: () => void; ms: number }[] = [];
  const written: GatheredBatch[] = [];
  const commits = new GroupCommit(
    (batch) => written.push(batch),
    (step) => turns.push(step),
    (step, ms) => delays.push({ step, ms }),
  );
  return {
    commits,
    written,
    delays,
    turn: () => turns.shift()?.(),
    pass: () => delays.shift()?.step(),
  };
}

/** Leaves what it has for a later batch as often as `patience` says, unless all must go. */
class PatientSource implements BatchSource {
  readonly packedWith: boolean[] = [];
  patience: number;

  constructor(patience: number) {
    this.patience = patience;
  }

  pack(batch: Batch, all: boolean): boolean {
    this.packedWith.push(all);
    if (!all && this.patience-- > 0) return true;
    batch.segment(segment(1, 1));
    return false;
  }
}

describe("GroupCommit", () => {
  it("lets what is not urgent wait for its delay", () => {
    const { commits, written, turn, delays, pass } = driven();
    const source = new PatientSource(0);
    commits.mark(source, 5);
    turn();
    expect([written.length, delays.map(({ ms }) => ms)]).toEqual([0, [5]]);
    pass();
    expect([written.length, source.packedWith]).toEqual([1, [false]]);
    commits.written();
    expect(commits.isIdle).toBe(true);
  });

  it("asks again after a delay for what a source left", () => {
    const { commits, written, pass } = driven();
    const source = new PatientSource(1);
    commits.mark(source, 1);
    pass();
    expect([written.length, commits.isIdle]).toEqual([0, false]);
    pass();
    expect([written.length, source.packedWith]).toEqual([1, [false, false]]);
  });

  it("hands over at the end of the turn what is urgent, and lets the rest choose", () => {
    const { commits, written, turn } = driven();
    const source = new PatientSource(9);
    commits.mark(source, 5);
    commits.mark(new PatientSource(0), 0);
    turn();
    expect([written.length, source.packedWith]).toEqual([1, [false]]);
  });

  it("takes everything along when somebody waits", () => {
    const { commits, turn } = driven();
    const source = new PatientSource(9);
    const told: string[] = [];
    commits.mark(source, 5);
    commits.whenCommitted(commits.gathering, () => told.push("safe"));
    turn();
    expect([source.packedWith, told]).toEqual([[true], []]);
    commits.written();
    expect(told).toEqual(["safe"]);
  });

  it("takes everything along when an urgent change comes before the delay has passed, in the same turn or not", () => {
    const { commits, written, pass, turn } = driven();
    const source = new PatientSource(9);
    commits.mark(source, 1);
    commits.hurry();
    pass();
    turn();
    expect([written.length, source.packedWith]).toEqual([1, [true]]);
  });

  it("hands over what is due as soon as the batch before is written", () => {
    const { commits, written, turn, pass } = driven();
    commits.mark(new PatientSource(0), 0);
    turn();
    const source = new PatientSource(0);
    commits.mark(source, 1);
    pass();
    expect(written).toHaveLength(1);
    commits.written();
    expect([written.length, source.packedWith]).toEqual([2, [false]]);
  });

  it("does not number a batch that came to nothing and that nobody waits for", () => {
    const { commits, pass } = driven();
    commits.mark({ pack: () => false }, 1);
    pass();
    expect([commits.gathering, commits.committed, commits.isIdle]).toEqual([1, 0, true]);
  });

  it("treats everything as urgent without a delay", () => {
    const turns: (() => void)[] = [];
    const commits = new GroupCommit(
      () => undefined,
      (step) => turns.push(step),
    );
    const source = new PatientSource(9);
    commits.mark(source, 10);
    for (const step of turns.splice(0)) step();
    expect(source.packedWith).toEqual([true]);
  });
});
