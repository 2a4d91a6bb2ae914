/** Piscina's worker for graphs of `cell` tasks. */
import kernel from './kernel.cjs';

export default kernel.cellOf;
