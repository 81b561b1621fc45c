import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Threads } from '#src/threads.js';

/** Answers with what it was given and its own number; ends, or says nothing, where it is told to. */
const ECHO = `
  const { parentPort, threadId } = require('node:worker_threads');
  parentPort.on('message', (said) => {
    if (said === 'die') process.exit(3);
    if (said === 'throw') throw new Error('no such luck');
    if (said === 'hang') return;
    parentPort.postMessage([said, threadId]);
  });
`;

describe('threads', () => {
  let started = 0;
  let ended = 0;
  let threads: Threads<string, [said: string, thread: number]>;
  const open = (most: number) => {
    [started, ended] = [0, 0];
    const start = () => {
      started++;
      const worker = new Worker(ECHO, { eval: true, execArgv: [] });
      worker.once('exit', () => ended++);
      return Promise.resolve(worker);
    };
    threads = new Threads({ stage: 'echo', most, start, end: (worker) => worker.terminate() });
  };
  const say = (word: string, signal?: AbortSignal) =>
    threads.run((seat) => seat.ask(word, []), signal);
  afterEach(() => threads.close());

  const sayAll = async (words: readonly string[]) => {
    const order: string[] = [];
    const answers = await Promise.all(
      words.map(async (word) => {
        const answer = await say(word);
        order.push(word);
        return answer;
      }),
    );
    return { answers, order };
  };
  const words = Array.from({ length: 12 }, (_, index) => String(index));

  it('are no more than were asked for, and each request gets its own answer', async () => {
    open(2);
    const { answers } = await sayAll(words);
    expect(answers.map(([said]) => said)).toEqual(words);
    expect(started).toBe(2);
    expect(new Set(answers.map(([, thread]) => thread)).size).toBeLessThanOrEqual(2);
  });

  it('serve in the order of the requests', async () => {
    open(1);
    const { order } = await sayAll(words);
    expect(order).toEqual(words);
    expect(started).toBe(1);
  });

  it.each([
    ['die', 'echo: expected the thread to answer, got: its thread ended'],
    ['throw', 'echo: expected the thread to answer, got: no such luck'],
  ])('that %s fail their request, and the next one gets another', async (word, message) => {
    open(1);
    const [, first] = await say('before');
    const [failed, after] = await Promise.allSettled([say(word), say('after')]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'backend', message } });
    expect(after).toMatchObject({ status: 'fulfilled', value: ['after', expect.any(Number)] });
    expect((after as PromiseFulfilledResult<[string, number]>).value[1]).not.toBe(first);
    expect(started).toBe(2);
  });

  it('stop waiting for a cancelled request, which still has its thread to its end', async () => {
    open(1);
    await say('before');
    const cancel = new AbortController();
    const pending = threads.run((seat) => {
      const answer = seat.ask('cancelled', []);
      cancel.abort();
      return answer;
    }, cancel.signal);
    await expect(pending).rejects.toMatchObject({ code: 'aborted' });
    expect((await say('next'))[0]).toBe('next');
    await expect(say('late', cancel.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(started).toBe(1);
  });

  it('give nothing to a request that was cancelled before its turn', async () => {
    open(1);
    const cancel = new AbortController();
    const pending = say('cancelled', cancel.signal);
    cancel.abort();
    await expect(pending).rejects.toMatchObject({ code: 'aborted' });
    expect((await say('next'))[0]).toBe('next');
    expect(started).toBe(1);
  });

  it('end while they run and while others wait for them, and whoever asked is told', async () => {
    open(1);
    await say('before');
    const asked = Promise.allSettled([say('hang'), say('waiting')]);
    await setImmediate();
    await threads.close();
    const [running, waiting] = await asked;
    expect(running).toMatchObject({ reason: { message: expect.stringMatching(/thread ended$/) } });
    expect(waiting).toMatchObject({ reason: { message: expect.stringMatching(/closed one$/) } });
    await expect(say('late')).rejects.toThrow('expected an open codec, got a closed one');
  });

  it('have all ended when a close during their start is done', async () => {
    open(2);
    const asked = Promise.allSettled([say('first'), say('second')]);
    await threads.close();
    expect(ended).toBe(started);
    for (const { status } of await asked) expect(status).toBe('rejected');
  });

  it('may fail during their start also when nobody waits for them any more', async () => {
    const start = async () => {
      await setImmediate();
      return new Worker("throw new Error('no such luck')", { eval: true, execArgv: [] });
    };
    threads = new Threads({ stage: 'echo', most: 1, start, end: () => {} });
    const asked = say('first');
    await Promise.all([threads.close(), expect(asked).rejects.toThrow('a closed one')]);
  });
});
