import { describe, expect, test } from 'vitest'
import { hallpass, hallpassHere, temporaryDirectory } from '../test/hallpass.ts'
import { commands } from './commands.ts'

describe('hallpass', { timeout: 60_000 }, () => {
  test('without a command shows every one, and says that nothing was done', async () => {
    const { code, stdout } = await hallpassHere([])
    expect(code).toBe(2)
    expect(commands.filter(({ name, summary }) => !stdout.includes(name) || !stdout.includes(summary))).toEqual([])
  })

  test('ends in silence when nobody reads it any more', async () => {
    expect(await hallpass(['--help'], { isUnread: true })).toEqual({ code: 1, stdout: '', stderr: '' })
  })

  test('--help is no mistake', async () => {
    expect(await hallpass(['--help'])).toMatchObject({ code: 0, stderr: '' })
  })

  test('every command shows its options', async () => {
    const shown = await Promise.all(
      commands.map(async (command) => ({ command, ran: await hallpassHere([...command.name.split(' '), '--help']) })),
    )
    const lacking = shown.filter(
      ({ command, ran }) =>
        ran.code !== 0 || !Object.keys(command.options).every((name) => ran.stdout.includes(`--${name}`)),
    )
    expect(lacking.map(({ command }) => command.name)).toEqual([])
  })

  test.each([
    ['an unknown command', ['audti'], 'Did you mean "hallpass audit show"?'],
    ['nothing like a command', ['frobnicate'], 'See: hallpass --help'],
    ['half a command', ['keys'], 'There is: keys generate, keys list, keys rotate'],
    ['an unknown option', ['keys', 'list', '--nope'], "Unknown option '--nope'. See: hallpass keys list --help"],
    ['an option without its value', ['keys', 'list', '--dir'], 'See: hallpass keys list --help'],
    ['no file', ['audit', 'verify'], 'hallpass audit verify needs FILE'],
    ['one file too many', ['audit', 'verify', 'a', 'b'], 'does not take "b"'],
    ['a member of every object', ['constructor'], 'There is no command "constructor"'],
  ])('says what to type after %s, with exit code 2', async (_name, typed, words) => {
    const { code, stdout, stderr } = await hallpassHere(typed)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(words)
  })

  test('answers a program in JSON, whatever goes wrong', async () => {
    const wrong = await hallpass(['audit', 'verify', '--json'])
    expect(wrong.code).toBe(2)
    expect(JSON.parse(wrong.stdout)).toMatchObject({ ok: false, error: { code: 'misused' } })
    const missing = await hallpass(['audit', 'verify', 'nowhere.jsonl', '--json'], { cwd: temporaryDirectory() })
    expect(missing.code).toBe(1)
    expect(JSON.parse(missing.stdout)).toMatchObject({ ok: false, error: { code: 'trail-invalid' } })
  })
})
