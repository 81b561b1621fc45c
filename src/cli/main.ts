/**
 * The program: runs the command that was asked for and ends when its output is out.
 * @module
 */
import { EXIT, reportFailure } from './exit.js';
import { makeProgram } from './program.js';
import { isBrokenPipe } from './streams.js';

let exitCode: number = EXIT.ok;

// What is written without being waited for, such as help, fails here.
process.stdout.on('error', (error) => {
  process.exitCode = isBrokenPipe(error) ? EXIT.brokenPipe : EXIT.io;
});
process.stderr.on('error', () => {});

try {
  await makeProgram((code) => {
    exitCode = code;
  }).parseAsync();
} catch (error) {
  exitCode = reportFailure(error);
}
process.exitCode ||= exitCode;
