/** Logical ids, from the name of a function, an alarm or the like. */
const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** Ours: `call-array` → `CallArray`. */
exports.logicalId = (name) => name.split('-').map(capital).join('');

/** How osls starts the ids of a function's resources: `call-array` → `CallDasharray`. */
exports.oslsId = (name) => capital(name).replaceAll('-', 'Dash');
