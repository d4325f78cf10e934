import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.ArrayList;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends lines as Kafka's own client does: `java -cp JARS Produce.java BROKERS TOPIC CODEC [TOPIC CODEC ...]` with the
 * lines on standard input, all of them to each topic.
 */
public class Produce {
  public static void main(String[] arguments) throws Exception {
    List<String> lines =
        new BufferedReader(new InputStreamReader(System.in, "UTF-8")).lines().toList();
    for (int i = 1; i < arguments.length; i += 2) {
      Properties settings = new Properties();
      settings.put("bootstrap.servers", arguments[0]);
      settings.put("compression.type", arguments[i + 1]);
      // Some batches of many records each.
      settings.put("batch.size", 200_000);
      settings.put("linger.ms", 1000);
      settings.put("key.serializer", StringSerializer.class.getName());
      settings.put("value.serializer", StringSerializer.class.getName());
      List<Future<?>> sent = new ArrayList<>();
      try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
        for (String line : lines) sent.add(producer.send(new ProducerRecord<>(arguments[i], 0, null, line)));
        producer.flush();
        for (Future<?> one : sent) one.get();
      }
    }
  }
}
