/* Words that one thread writes, at the price of a plain variable, while others look at them with relaxed atomic loads,
   or put something else there and do not mind to lose: the compiler makes one instruction of each of these. What the
   owner did before is seen by who has read the word and then called sys_membarrier. */
#ifndef EVY_OWNED_H
#define EVY_OWNED_H

#define owned_get(word) (*(word))
#define owned_set(word, value) (*(word) = (value))
#define owned_add(word, n) (*(word) += (n)) /* answers the sum */

#endif
