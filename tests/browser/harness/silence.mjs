// A browser that no longer answers costs its file of tests a minute and a half, not the quarter of an hour that a group may take.
import { execFileSync } from "node:child_process";

const PATIENCE_MS = 90_000;

/** From the first command that gets no answer in time, every further one is refused. Gives a function that tells whether that has happened. */
export function guard(driver, patience = PATIENCE_MS) {
  const execute = driver.execute.bind(driver);
  let gone;
  driver.execute = async (command) => {
    if (gone) throw gone;
    let clock;
    const silence = new Promise((_, reject) => {
      clock = setTimeout(() => {
        gone = new Error(`the browser has not answered “${command.getName()}” for ${patience / 1000} s; nothing more is asked of it`);
        reject(gone);
      }, patience);
    });
    try {
      return await Promise.race([execute(command), silence]);
    } finally {
      clearTimeout(clock);
    }
  };
  return () => gone !== undefined;
}

/** Ends what runs with a folder of its own, as a silent browser's processes do. */
export function end(folder) {
  try {
    execFileSync("pkill", ["-KILL", "-f", folder]);
  } catch {
    // There is none left, or no such program: the machine's end is theirs, too.
  }
}
