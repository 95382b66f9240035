import './tones.css';
import './card.css';
import './jobs.css';
import './details.css';
import './form.css';
import './studies.css';
import './lab.css';
