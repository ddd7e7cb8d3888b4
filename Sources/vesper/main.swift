import Common
import Glibc

exit(perform(Array(CommandLine.arguments.dropFirst())))
