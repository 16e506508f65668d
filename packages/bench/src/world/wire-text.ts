/** A string as a server's parser makes it: new, flat, its hash not computed yet. */
export const wireText = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
