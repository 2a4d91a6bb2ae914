// The one error of this folder.
import { HeddleError } from '../errors/index.js';

/** Bytes that are not a valid frame, or a frame that breaks the protocol. Names the table and field at fault. */
export class WireError extends HeddleError<'ERR_PROTOCOL' | 'ERR_PROTOCOL_VERSION'> {
  constructor(message: string, code: 'ERR_PROTOCOL' | 'ERR_PROTOCOL_VERSION' = 'ERR_PROTOCOL') {
    super(code, message);
  }
}
