# The textbook threaded echo in ruby.
require "socket"

server = TCPServer.new("127.0.0.1", 0)
server.listen(1024)
loop do
  Thread.start(server.accept) do |client|
    loop { client.write(client.readpartial(65536)) }
  rescue EOFError, SystemCallError
  ensure
    client.close
  end
end
